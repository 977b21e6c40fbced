/** Which of several images in one place. */

import { type Digest, isDigest } from '../digest.ts';
import { type LongshoreError, optionInvalid } from '../errors.ts';
import { parsePlatform } from '../image/platform.ts';

/** Options that say which image of a layout or an archive is meant. Each narrows the choice further. */
export interface ImageSelection {
  /**
   * The name under which it was stored: a tag, or `repository:tag`. Compared with the layout's
   * `org.opencontainers.image.ref.name` and `io.containerd.image.name`, or the archive's `RepoTags`:
   * letter by letter, else with Docker's short forms written out, else by the tag alone.
   */
  readonly reference?: string;
  /** The digest of its manifest or index; of a `docker save` archive also of its config, the image id. */
  readonly digest?: Digest;
  /** `os/architecture[/variant]`: takes the image for this platform, out of an index if need be. */
  readonly platform?: string;
}

/** Longest name or path that an option may be. */
const TEXT_CHARACTERS_MAX = 4096;

/**
 * @param names of further options that the caller looks at
 * @throws LongshoreError E_OPTION_INVALID
 */
export function checkedSelection(
  options: ImageSelection & { readonly label?: string },
  names: readonly string[] = [],
): ImageSelection {
  assertNames(options, ['reference', 'digest', 'platform', 'label', ...names]);
  const { reference, digest, platform, label } = options;
  if (reference !== undefined) assertText('reference', reference);
  if (label !== undefined) assertText('label', label);
  if (digest !== undefined && !isDigest(digest)) {
    throw selectionInvalid('digest', 'sha256: and 64 lower-case hexadecimal digits', digest);
  }
  if (platform !== undefined && parsePlatform(platform) === undefined) {
    throw selectionInvalid('platform', 'os/architecture[/variant] such as linux/arm64', platform);
  }
  return {
    ...(reference !== undefined && { reference }),
    ...(digest !== undefined && { digest }),
    ...(platform !== undefined && { platform }),
  };
}

/** A misspelt option must not go unnoticed. @throws LongshoreError E_OPTION_INVALID */
export function assertNames(options: object, known: readonly string[]): void {
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) throw selectionInvalid('options', `only ${known.join(', ')}`, name);
  }
}

/** @throws LongshoreError E_OPTION_INVALID */
export function assertText(option: string, value: unknown): asserts value is string {
  if (typeof value === 'string' && value !== '' && value.length <= TEXT_CHARACTERS_MAX) return;
  throw selectionInvalid(option, `a text of 1 to ${TEXT_CHARACTERS_MAX} characters`, value);
}

/** For a value that may be anything. */
export function selectionInvalid(
  option: string,
  expected: string,
  value: unknown,
): LongshoreError<'E_OPTION_INVALID'> {
  const received = (JSON.stringify(value) ?? String(value)).slice(0, 200);
  return optionInvalid(option, expected, received);
}

/** How a message names what was asked for. */
export function wantedText({ reference, digest, platform }: ImageSelection): string {
  const parts = [
    ...(reference === undefined ? [] : [`named ${reference}`]),
    ...(digest === undefined ? [] : [`with the digest ${digest}`]),
    ...(platform === undefined ? [] : [`for the platform ${platform}`]),
  ];
  return parts.length === 0 ? 'at all' : parts.join(', ');
}
