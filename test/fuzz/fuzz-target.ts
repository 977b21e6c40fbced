/** A parser that meets bytes from outside, made ready to be given any. */

/** Longest input that is tried. Repetition finds out what takes more than linear time. */
export const INPUT_BYTES_MAX: number = 64 * 1024;

export interface FuzzTarget {
  readonly name: string;
  /** What the format is made of: put into inputs as they are. */
  readonly words: readonly string[];
  /** Sound inputs to begin with, beside those of the corpus. */
  readonly seeds: readonly Uint8Array[];
  open(): Promise<OpenTarget>;
}

export interface OpenTarget {
  /**
   * Takes one input, which it may keep nothing of. Resolves with a word for what came of it: inputs that
   * give a new one are varied further. Throws where the parser did what it must not.
   */
  run(input: Buffer): string | Promise<string>;
  close(): Promise<void>;
}

/** A target that needs nothing to be opened. */
export function pureTarget(
  target: Omit<FuzzTarget, 'open' | 'seeds'> & {
    readonly seeds?: readonly (string | Uint8Array)[];
    readonly run: OpenTarget['run'];
  },
): FuzzTarget {
  const { name, words, seeds = [], run } = target;
  return {
    name,
    words,
    seeds: seeds.map((seed) => Buffer.from(seed as string)),
    open: () => Promise.resolve({ run, close: () => Promise.resolve() }),
  };
}

/** What a parser may throw: of this class. Resolves with its first words, numbers left out. */
export async function outcomeOf(
  parse: () => unknown,
  isExpected: (error: unknown) => boolean,
): Promise<string> {
  try {
    const value = await parse();
    return value === undefined ? 'nothing' : 'sound';
  } catch (error) {
    if (error instanceof Error && isExpected(error)) return kindOf(error);
    throw error;
  }
}

/** Messages that differ in numbers and in what they quote are of one kind. */
export function kindOf(error: Error): string {
  const code = 'code' in error ? String(error.code) : error.constructor.name;
  return `${code} ${error.message.replaceAll(/"[^"]*"|sha256:[0-9a-f]+|\d+/g, '#').slice(0, 60)}`;
}
