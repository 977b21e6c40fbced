/** Which tags an entry of regsync takes, said as our filters. */

import type { ForeignFields } from './foreign-file.ts';
import {
  globOf,
  hasOuterAlternatives,
  literalOf,
  translateExactRange,
  translateRegex,
} from './foreign-rule.ts';
import type { TagFilter } from './sync-config.ts';

export interface ImportedTags {
  /** `undefined` where they cannot be said; `notes` tell why. */
  readonly filter: TagFilter | undefined;
  readonly notes: readonly string[];
}

/**
 * One set of `allow`, `deny` and `semverRange`. regsync takes what is in a range and is allowed; we take what
 * is in one or the other: of both the range is kept, and the rest is told.
 */
export function importTags(set: ForeignFields): ImportedTags {
  const notes: string[] = [];
  const allow = set.texts('allow');
  const deny = set.texts('deny');
  const ranges = set.texts('semverRange');
  notes.push(...set.unasked());
  const filter =
    ranges.length > 0 ? inRanges(ranges, allow, deny, notes) : inNames(allow, deny, notes);
  return { filter, notes };
}

function inRanges(
  ranges: readonly string[],
  allow: readonly string[],
  deny: readonly string[],
  notes: string[],
): TagFilter | undefined {
  const translated = ranges.map(translateExactRange);
  if (translated.includes(undefined)) {
    notes.push(`semverRange ${ranges.join(', ')} cannot be said as a range of npm`);
    return undefined;
  }
  if (allow.length > 0) {
    notes.push(
      `more is taken than by regsync: allow ${allow.join(', ')} would have to hold beside semver`,
    );
  }
  const globs = deny.map((pattern) => literalOf(pattern) ?? globOf(pattern));
  const lost = deny.filter((_pattern, index) => globs[index] === undefined);
  if (lost.length > 0) {
    notes.push(`more is taken than by regsync: deny ${lost.join(', ')} cannot be said as a glob`);
  }
  // To regsync a prerelease is a version like any other.
  return {
    semver: translated.join(' || '),
    prereleases: true,
    ...excluding(globs.filter((glob) => glob !== undefined)),
  };
}

function inNames(
  allow: readonly string[],
  deny: readonly string[],
  notes: string[],
): TagFilter | undefined {
  const globs = deny.map((pattern) => literalOf(pattern) ?? globOf(pattern));
  const refused = deny.filter((_pattern, index) => globs[index] === undefined);
  const refusal = refused.length === 0 ? '' : refusalOf(refused, notes);
  if (refusal === undefined) return undefined;
  const include: string[] = [];
  const regex: string[] = [];
  for (const pattern of allow) {
    const literal = literalOf(pattern);
    const whole = anchored(pattern, notes);
    if (literal !== undefined && refusal === '') {
      if (/(?:^|[^\\])\./.test(pattern)) notes.push(`the dots of ${pattern} are taken for dots`);
      include.push(literal);
    } else if (whole !== undefined) {
      regex.push(`${refusal}${refusal === '' ? whole : `(?:${whole})`}`);
    } else {
      notes.push(`allow ${pattern} is not one of JavaScript's expressions`);
    }
  }
  if (allow.length > 0 && include.length + regex.length === 0) return undefined;
  if (allow.length === 0 && refusal !== '') regex.push(`${refusal}.*`);
  return {
    ...(include.length > 0 && { include }),
    ...(regex.length > 0 && { regex }),
    ...excluding(globs.filter((glob) => glob !== undefined)),
  };
}

/** `(?!...)` in front of all that is allowed; `undefined` where an expression cannot be said. */
function refusalOf(patterns: readonly string[], notes: string[]): string | undefined {
  const wholes = patterns.map((pattern) => anchored(pattern, notes));
  if (!wholes.includes(undefined)) return `(?!(?:${wholes.join('|')})$)`;
  notes.push(`deny ${patterns.join(', ')} is not one of JavaScript's expressions`);
  return undefined;
}

/** regsync puts `^` in front and `$` behind, whatever stands between: `a|b` is what begins with a or ends with b. */
function anchored(pattern: string, notes: string[]): string | undefined {
  const whole = translateRegex(pattern);
  if (whole === undefined || !hasOuterAlternatives(pattern)) return whole;
  notes.push(`${pattern}: regsync anchors only its first and last alternative, and so it is kept`);
  return `.*(?:^${whole}$).*`;
}

function excluding(exclude: readonly string[]): Pick<TagFilter, 'exclude'> {
  return exclude.length > 0 ? { exclude } : {};
}
