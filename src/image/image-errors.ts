/** What can be wrong with an image before a byte of it travels. */

import type { Digest } from '../digest.ts';
import { LongshoreError } from '../errors.ts';
import { LAYERS_PER_IMAGE_MAX } from '../limits.ts';
import { printable } from './json-document.ts';

/** The image's own data contradicts itself or the format. */
export function imageInvalid(
  source: string,
  what: string,
  problem: string,
  cause?: unknown,
  remedy = 'make the image anew',
): LongshoreError<'E_IMAGE_INVALID'> {
  return new LongshoreError(
    'E_IMAGE_INVALID',
    `${source}: ${what}: ${problem}; nothing of it was pushed, ${remedy}`,
    { source, what, problem },
    cause === undefined ? {} : { cause },
  );
}

/** A sound image that ECR does not take. */
export function imageUnsupported(
  source: string,
  what: string,
  problem: string,
  remedy: string,
): LongshoreError<'E_IMAGE_UNSUPPORTED'> {
  return new LongshoreError('E_IMAGE_UNSUPPORTED', `${source}: ${what}: ${problem}; ${remedy}`, {
    source,
    what,
    problem,
  });
}

export function tooManyLayers(source: string, what: string, layerCount: number): LongshoreError {
  const problem = `it has ${layerCount} layers, ECR takes at most ${LAYERS_PER_IMAGE_MAX}`;
  return imageUnsupported(source, what, problem, 'join layers (a multi-stage build, or --squash)');
}

/** A manifest's bytes are not those that it is called by. */
export function manifestMismatch(
  source: string,
  expected: Digest,
  actual: Digest,
): LongshoreError<'E_DIGEST_MISMATCH'> {
  return new LongshoreError(
    'E_DIGEST_MISMATCH',
    `${source}: the manifest ${expected} has the digest ${actual}; the image is damaged, make it anew`,
    { expected, actual, source },
  );
}

/** @param choices one line each, as one would ask for them */
export function imageNotFound(
  source: string,
  wanted: string,
  choices: readonly string[],
  cause?: unknown,
): LongshoreError<'E_IMAGE_NOT_FOUND'> {
  return new LongshoreError(
    'E_IMAGE_NOT_FOUND',
    `${source} has no image ${wanted}${listed(choices)}`,
    { source, wanted, choices },
    cause === undefined ? {} : { cause },
  );
}

export function imageAmbiguous(
  source: string,
  choices: readonly string[],
): LongshoreError<'E_IMAGE_AMBIGUOUS'> {
  return new LongshoreError(
    'E_IMAGE_AMBIGUOUS',
    `${source} has ${choices.length} images; say which by reference, digest or ` +
      'platform (--reference, --image-digest, --platform)' +
      listed(choices),
    { source, choices },
  );
}

/** A blob or manifest that others refer to is not in the source. */
export function blobMissing(
  source: string,
  digest: Digest,
  cause?: unknown,
): LongshoreError<'E_BLOB_MISSING'> {
  return new LongshoreError(
    'E_BLOB_MISSING',
    `${source} refers to ${digest} but does not have it; the image is incomplete, make it anew`,
    { source, digest },
    cause === undefined ? {} : { cause },
  );
}

/** Choices printed in a message; `details.choices` has them all. */
const CHOICES_MAX = 20;

function listed(choices: readonly string[]): string {
  if (choices.length === 0) return '';
  const more = choices.length - CHOICES_MAX;
  const lines = choices.slice(0, CHOICES_MAX).map((choice) => `\n  ${printable(choice)}`);
  return `; it has:${lines.join('')}${more > 0 ? `\n  and ${more} more` : ''}`;
}
