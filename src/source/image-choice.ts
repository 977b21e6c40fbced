/** Which image of a folder or an archive is meant. */

import { type Digest, isDigest } from '../digest.ts';
import { LongshoreError } from '../errors.ts';
import { parsePlatform } from '../image/platform.ts';

/** Says which image is meant where there are several. What is given must all be true of it. */
export interface ImageChoice {
  /**
   * The image's name: as its layout or archive has it, or what Docker takes for the same
   * (`alpine` for `docker.io/library/alpine:latest`). Where nothing is named so, a tag is enough if
   * it is unique.
   */
  readonly reference?: string;
  /** The digest of its manifest; of an image written by `docker save`, that of its config. */
  readonly digest?: Digest;
  /** The image for this platform, written `os/architecture[/variant]`; also out of an index. */
  readonly platform?: string;
}

/** Longest name or path that an option may be. */
const TEXT_CHARACTERS_MAX = 4096;

/** @throws LongshoreError E_OPTION_INVALID */
export function resolveChoice(
  options: ImageChoice & { readonly label?: string },
  furtherOptions: readonly string[] = [],
): ImageChoice {
  const names = ['reference', 'digest', 'platform', 'label', ...furtherOptions];
  for (const name of Object.keys(options)) {
    if (!names.includes(name)) throw invalidOption(name, `one of ${names.join(', ')}`, name);
  }
  const { reference, digest, platform, label } = options;
  if (reference !== undefined) assertText('reference', reference);
  if (label !== undefined) assertText('label', label);
  if (digest !== undefined && !isDigest(digest)) {
    throw invalidOption('digest', 'sha256: and 64 hexadecimal digits', String(digest));
  }
  if (platform !== undefined && parsePlatform(platform) === undefined) {
    throw invalidOption('platform', 'os/architecture[/variant] such as linux/arm64', platform);
  }
  return {
    ...(reference !== undefined && { reference }),
    ...(digest !== undefined && { digest }),
    ...(platform !== undefined && { platform }),
  };
}

/** @throws LongshoreError E_OPTION_INVALID */
export function assertText(option: string, value: unknown): asserts value is string {
  if (typeof value === 'string' && value !== '' && value.length <= TEXT_CHARACTERS_MAX) return;
  const expected = `a text of 1 to ${TEXT_CHARACTERS_MAX} characters`;
  throw invalidOption(option, expected, typeof value === 'string' ? value : typeof value);
}

export function invalidOption(option: string, expected: string, received: string): LongshoreError {
  const shown = JSON.stringify(received.slice(0, 200));
  return new LongshoreError(
    'E_OPTION_INVALID',
    `${option}: expected ${expected}, received ${shown}`,
    { option, expected, received: shown },
  );
}

/** What was asked for, as a message has it. */
export function wantedText({ reference, digest, platform }: ImageChoice): string {
  const parts = [
    ...(reference === undefined ? [] : [`named ${reference}`]),
    ...(digest === undefined ? [] : [`with the digest ${digest}`]),
    ...(platform === undefined ? [] : [`for the platform ${platform}`]),
  ];
  return parts.join(' ');
}
