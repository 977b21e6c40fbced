/** What a registry wants to see before it answers: the WWW-Authenticate header (RFC 9110, 11.6.1). */

export interface Challenge {
  /** In lower case: `basic`, `bearer`. */
  readonly scheme: string;
  /** Names in lower case. */
  readonly parameters: ReadonlyMap<string, string>;
}

/** More than any server sends; the rest is not read. */
const HEADER_CHARACTERS_MAX = 16_384;
const CHALLENGES_MAX = 16;

const TOKEN = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y;
/** What a scheme may have in place of parameters: `Negotiate YII=`. */
const TOKEN_68 = /[A-Za-z0-9._~+/-]+=*(?=[ \t]*(?:,|$))/y;
const SPACE = /[ \t]*/y;
const SEPARATOR = /[ \t,]*/y;

/** Reads all challenges of all such headers, as far as they can be understood; never throws. */
export function parseChallenges(headers: readonly string[]): readonly Challenge[] {
  const challenges: Challenge[] = [];
  for (const header of headers) {
    const reader = new HeaderReader(header.slice(0, HEADER_CHARACTERS_MAX));
    for (const challenge of reader.challenges()) {
      if (challenges.length >= CHALLENGES_MAX) return challenges;
      challenges.push(challenge);
    }
  }
  return challenges;
}

class HeaderReader {
  readonly #text: string;
  #position = 0;

  constructor(text: string) {
    this.#text = text;
  }

  *challenges(): Generator<Challenge> {
    this.#take(SEPARATOR);
    while (this.#position < this.#text.length) {
      const scheme = this.#take(TOKEN);
      if (scheme === '') return;
      const parameters = new Map<string, string>();
      if (this.#take(SPACE) !== '' && this.#take(TOKEN_68) !== '') {
        this.#take(SEPARATOR);
        yield { scheme: scheme.toLowerCase(), parameters };
        continue;
      }
      const isWhole = this.#parameters(parameters);
      yield { scheme: scheme.toLowerCase(), parameters };
      // Behind nonsense nobody knows where the next challenge begins.
      if (!isWhole) return;
    }
  }

  /** Takes parameters up to the next challenge. Whether they could all be understood. */
  #parameters(into: Map<string, string>): boolean {
    for (;;) {
      this.#take(SEPARATOR);
      const start = this.#position;
      const name = this.#take(TOKEN);
      this.#take(SPACE);
      if (name === '' || !this.#takeCharacter('=')) {
        this.#position = start;
        return name !== '' || start >= this.#text.length;
      }
      this.#take(SPACE);
      const value = this.#takeCharacter('"') ? this.#quoted() : this.#take(TOKEN);
      if (value === undefined) return false;
      // The first one counts; a second one is an error of the server's.
      if (!into.has(name.toLowerCase())) into.set(name.toLowerCase(), value);
      if (!this.#atSeparator()) return false;
    }
  }

  /** The rest of a quoted text; `undefined` if it does not end. */
  #quoted(): string | undefined {
    let value = '';
    while (this.#position < this.#text.length) {
      const character = this.#text[this.#position++];
      if (character === '"') return value;
      value += character === '\\' ? (this.#text[this.#position++] ?? '') : character;
    }
    return undefined;
  }

  #atSeparator(): boolean {
    this.#take(SPACE);
    return this.#position >= this.#text.length || this.#text[this.#position] === ',';
  }

  #takeCharacter(character: string): boolean {
    if (this.#text[this.#position] !== character) return false;
    this.#position += 1;
    return true;
  }

  #take(pattern: RegExp): string {
    pattern.lastIndex = this.#position;
    const [found = ''] = pattern.exec(this.#text) ?? [];
    this.#position += found.length;
    return found;
  }
}
