/** Rules for tags as programs in Go have them (RE2, Masterminds/semver), turned into ours. */

import { rangeProblem, regexProblem } from './config-value.ts';

/** Classes of POSIX inside `[...]`. */
const POSIX_CLASSES: ReadonlyMap<string, string> = new Map([
  ['alnum', 'A-Za-z0-9'],
  ['alpha', 'A-Za-z'],
  ['digit', '0-9'],
  ['lower', 'a-z'],
  ['upper', 'A-Z'],
  ['word', '\\w'],
  ['xdigit', '0-9A-Fa-f'],
]);
/** Escapes that both languages have. */
const SAME_ESCAPES = /^[dDwWsSbBnrtfvpPx]$/;
const SYNTAX = /^[$()*+./?[\\\]^{|}]$/;

/**
 * An RE2 expression as JavaScript has it in Unicode mode; `undefined` where it has no counterpart (flags
 * such as `(?i)`, `\Q...\E`).
 */
export function translateRegex(source: string): string | undefined {
  let result = '';
  let isInClass = false;
  for (let at = 0; at < source.length; at += 1) {
    const rest = source.slice(at, at + 20);
    const posix = /^\[:(\w+):\]/.exec(rest);
    if (rest.startsWith('\\')) {
      const escaped = translateEscape(rest.charAt(1), isInClass);
      if (escaped === undefined) return undefined;
      result += escaped;
      at += 1;
    } else if (isInClass && posix !== null) {
      const [all, name = ''] = posix;
      const characters = POSIX_CLASSES.get(name);
      if (characters === undefined) return undefined;
      result += characters;
      at += all.length - 1;
    } else if (!isInClass && rest.startsWith('(?P<')) {
      result += '(?<';
      at += 3;
    } else {
      const isFirst = /\[\^?$/.test(result);
      if (rest.startsWith('[')) {
        result += isInClass ? '\\[' : '[';
        isInClass = true;
        continue;
      }
      // A bracket that closes at once stands for itself.
      if (isInClass && rest.startsWith(']')) {
        if (isFirst) result += '\\';
        else isInClass = false;
      }
      result += rest.charAt(0);
    }
  }
  return regexProblem(result) === undefined ? result : undefined;
}

function translateEscape(character: string, isInClass: boolean): string | undefined {
  if (SAME_ESCAPES.test(character) || SYNTAX.test(character)) return `\\${character}`;
  if (character === '-') return isInClass ? '\\-' : '-';
  if (/^[A-Za-z0-9]?$/.test(character)) {
    const anchor = character === 'A' ? '^' : '$';
    return /^[Az]$/.test(character) && !isInClass ? anchor : undefined;
  }
  return character;
}

/** An expression that may match anywhere, as one that must match the whole tag. */
export function wholeRegex(source: string): string | undefined {
  const pattern = translateRegex(source);
  if (pattern === undefined) return undefined;
  if (pattern.includes('|')) return `.*(?:${pattern}).*`;
  const begins = pattern.startsWith('^');
  const ends = /(?:^|[^\\])(?:\\\\)*\$$/.test(pattern);
  const inside = pattern.slice(begins ? 1 : 0, ends ? -1 : undefined);
  return `${begins ? '' : '.*'}${inside}${ends ? '' : '.*'}`;
}

/** Whether alternatives stand outside all brackets, where `^` and `$` in front and behind miss them. */
export function hasOuterAlternatives(source: string): boolean {
  let depth = 0;
  for (const [token] of source.matchAll(/\\.|\[(?:\\.|[^\]])*\]|[\s\S]/g)) {
    if (token === '(') depth += 1;
    if (token === ')') depth -= 1;
    if (token === '|' && depth === 0) return true;
  }
  return false;
}

/** The one tag that an expression means; a dot between letters or digits is taken for a dot. */
export function literalOf(source: string): string | undefined {
  const plain = source.replaceAll('\\.', '.').replaceAll('\\-', '-');
  const isPlain = /^\w+(?:[.-]+\w+)*$/.test(plain) && plain.length <= 128;
  return isPlain ? plain : undefined;
}

/** A glob for an expression of characters, `.*` and `.+`. */
export function globOf(source: string): string | undefined {
  const tokens = source.match(/\.\*|\.\+|\.|\\[.-]|[\w-]+|[\s\S]/g) ?? [];
  let glob = '';
  for (const token of tokens) {
    if (token === '.*') glob += '*';
    else if (token === '.+') glob += '?*';
    else if (token === '.') glob += '?';
    else if (/^[\w-]+$/.test(token)) glob += token;
    else if (/^\\[.-]$/.test(token)) glob += token.charAt(1);
    else return undefined;
  }
  return glob === '' ? undefined : glob;
}

/** A constraint of Masterminds/semver as npm has it: commas say "and". */
export function translateRange(constraint: string): string | undefined {
  if (constraint.includes('!=')) return undefined;
  return soundRange(constraint.replaceAll(',', ' ').replaceAll('=>', '>=').replaceAll('=<', '<='));
}

/** A range of regsync: versions that are not written out end in zeros, where npm would take any number. */
export function translateExactRange(range: string): string | undefined {
  const words = range
    .trim()
    .split(/\s+/)
    .map((word) => {
      const [, operator, version = '', suffix = ''] =
        /^(>=|<=|>|<|=|\^|~)?v?(\d+(?:\.\d+){0,2})(-[\w.-]+)?$/.exec(word) ?? [];
      const numbers = [...version.split('.'), '0', '0'].slice(0, 3).map(Number);
      return version === '' ? undefined : `${operator ?? '='}${numbers.join('.')}${suffix}`;
    });
  return words.includes(undefined) ? undefined : soundRange(words.join(' '));
}

function soundRange(range: string): string | undefined {
  const trimmed = range.trim().replaceAll(/\s+/g, ' ');
  return trimmed !== '' && rangeProblem(trimmed) === undefined ? trimmed : undefined;
}
