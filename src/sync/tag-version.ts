/** Tags read as versions, as far as they are versions. */

import semver from 'semver';

/**
 * `1`, `1.27`, `v1.27.3-rc.1`; leading zeros (`20.04`) are overlooked. A number alone is a version up to
 * five digits: longer ones are dates, build numbers, or commits that happen to have no letters.
 */
const VERSION = /^v?(?:(\d{1,5})|(\d{1,15})\.(\d{1,15})(?:\.(\d{1,15}))?)(-[0-9A-Za-z.-]+)?$/;

/**
 * The version that a tag names; `1.27` is 1.27.0. What follows a dash is a prerelease, as semver has it:
 * `1.27-alpine` comes before 1.27.
 */
export function versionOf(tag: string): semver.SemVer | undefined {
  const [, alone, major, minor = '0', patch = '0', suffix = ''] = VERSION.exec(tag) ?? [];
  const first = alone ?? major;
  if (first === undefined) return undefined;
  const numbers = [first, minor, patch].map(Number).join('.');
  return semver.parse(`${numbers}${suffix}`) ?? undefined;
}

/** The newest first: versions from the highest, then other tags from the last by name. */
export function newestFirst(tags: readonly string[]): readonly string[] {
  return tags
    .map((tag): DatedTag => ({ tag, version: versionOf(tag) }))
    .toSorted((left, right) => byVersion(left, right) || byNameDescending(left.tag, right.tag))
    .map(({ tag }) => tag);
}

interface DatedTag {
  readonly tag: string;
  readonly version: semver.SemVer | undefined;
}

function byVersion({ version: left }: DatedTag, { version: right }: DatedTag): number {
  if (left !== undefined && right !== undefined) return semver.rcompare(left, right);
  return Number(left === undefined) - Number(right === undefined);
}

function byNameDescending(left: string, right: string): number {
  if (left === right) return 0;
  return left > right ? -1 : 1;
}
