/** Which tags a mapping takes, and which rule keeps the others away. */

import picomatch from 'picomatch';
import semver from 'semver';
import type { TagFilter } from './sync-config.ts';
import { newestFirst, versionOf } from './tag-version.ts';

/** What was decided about a tag. */
export interface TagChoice {
  readonly tag: string;
  /** The rule that keeps it away, in words; `undefined` for a tag that is taken. */
  readonly rule: string | undefined;
}

/** A filter made ready, once for all repositories of a mapping. */
export interface CompiledTagFilter {
  /** The tags asked for, where no list is needed to find them; see {@link literalTags}. */
  readonly literal: readonly string[] | undefined;
  /** Decides about all tags of a repository together, each once, in the order given. */
  choose(tags: Iterable<string>): readonly TagChoice[];
}

type Matches = (tag: string) => boolean;

/** Nothing but the characters of tags (distribution specification). */
const LITERAL_TAG = /^\w[\w.-]{0,127}$/;

/** `*`, `?`, `[...]` and `{a,b}`, and nothing else that the package knows. */
const GLOB_OPTIONS: picomatch.PicomatchOptions = {
  dot: true,
  nonegate: true,
  noextglob: true,
  strictBrackets: true,
};

/** Globs of one mapping's `immutableTags`, say, that are compiled already; the list is the key. */
const compiledGlobs = new WeakMap<readonly string[], Matches>();

/**
 * Makes a filter ready. That its expressions are sound was checked with the configuration.
 * @throws SyntaxError, TypeError for expressions that nobody checked
 */
export function compileTagFilter(filter: TagFilter): CompiledTagFilter {
  const exclude = (filter.exclude ?? []).map((glob) => ({ glob, matches: compileGlob(glob) }));
  const includes = compileIncludes(filter);
  const refusal = refusalOf(filter);
  const { newest } = filter;
  return {
    literal: literalTags(filter),
    choose: (tags) => {
      const choices = [...new Set(tags)].map((tag): TagChoice => {
        const excluding = exclude.find(({ matches }) => matches(tag));
        if (excluding !== undefined) return { tag, rule: `exclude \`${excluding.glob}\`` };
        const isTaken = includes.length === 0 || includes.some((matches) => matches(tag));
        return { tag, rule: isTaken ? undefined : refusal };
      });
      return newest === undefined ? choices : onlyNewest(choices, newest);
    },
  };
}

/**
 * The tags that a filter names, if it names each of them and needs no list to choose: only `include`
 * without wildcards. What `exclude` says is still to be asked.
 */
export function literalTags(filter: TagFilter): readonly string[] | undefined {
  const { include = [], regex = [], newest } = filter;
  const needsList = regex.length > 0 || filter.semver !== undefined || newest !== undefined;
  if (needsList || include.length === 0 || !include.every(isLiteralTag)) return undefined;
  return [...new Set(include)];
}

/** Whether one of the globs takes the tag. */
export function matchesAny(globs: readonly string[], tag: string): boolean {
  let matches = compiledGlobs.get(globs);
  if (matches === undefined) {
    const each = globs.map(compileGlob);
    matches = (asked) => each.some((one) => one(asked));
    compiledGlobs.set(globs, matches);
  }
  return matches(tag);
}

/** Whether the text is a tag rather than a glob. */
export function isLiteralTag(text: string): boolean {
  return LITERAL_TAG.test(text);
}

/** @throws SyntaxError for brackets that are not closed */
export function compileGlob(glob: string): Matches {
  // A dot of a tag is a dot, and most entries are plain tags.
  if (isLiteralTag(glob)) return (tag) => tag === glob;
  return picomatch(glob, GLOB_OPTIONS);
}

/**
 * Matches whole tags only. Unicode mode refuses escapes that mean nothing instead of overlooking them.
 * @throws SyntaxError
 */
export function compileRegex(source: string): RegExp {
  // By itself first: `a)(b` would be sound inside the brackets that anchor it.
  void new RegExp(source, 'u');
  return new RegExp(`^(?:${source})$`, 'u');
}

/** @throws TypeError */
export function compileRange(range: string, takesPrereleases: boolean): semver.Range {
  return new semver.Range(range, { includePrerelease: takesPrereleases });
}

function compileIncludes(filter: TagFilter): readonly Matches[] {
  const { include = [], regex = [], prereleases = false } = filter;
  const matchers: Matches[] = include.map(compileGlob);
  for (const source of regex) {
    const pattern = compileRegex(source);
    matchers.push((tag) => pattern.test(tag));
  }
  if (filter.semver !== undefined) {
    const range = compileRange(filter.semver, prereleases);
    matchers.push((tag) => {
      const version = versionOf(tag);
      return version !== undefined && range.test(version);
    });
  }
  return matchers;
}

/** What to say of a tag that nothing takes. */
function refusalOf(filter: TagFilter): string {
  const { include = [], regex = [] } = filter;
  const rules = [
    ...(include.length > 0 ? [`include ${include.join(', ')}`] : []),
    ...(regex.length > 0 ? [`regex ${regex.join(', ')}`] : []),
    ...(filter.semver !== undefined ? [`semver ${filter.semver}`] : []),
  ];
  const isRangeOnly = rules.length === 1 && filter.semver !== undefined;
  return isRangeOnly ? `not in ${rules.join()}` : `matches none of ${rules.join(', ')}`;
}

function onlyNewest(choices: readonly TagChoice[], newest: number): readonly TagChoice[] {
  const taken = choices.flatMap(({ tag, rule }) => (rule === undefined ? [tag] : []));
  const kept = new Set(newestFirst(taken).slice(0, newest));
  return choices.map((choice) =>
    choice.rule !== undefined || kept.has(choice.tag)
      ? choice
      : { tag: choice.tag, rule: `older than the newest ${newest}` },
  );
}
