/** `longshore verify`: reads one image back, and compares it with a source if there is one. */

import type { ImageVerification, VerificationRequest } from '../index.ts';
import type { CliContext } from './context.ts';
import { type ChosenImage, chooseImage } from './image-choice.ts';
import { endImage } from './image-ending.ts';
import { type ImageFlags, imageSettingsOf } from './image-flags.ts';
import { runImage } from './image-run.ts';
import { chooseProgressKind, startProgress } from './progress/progress-start.ts';
import { formatBytes, formatDuration, formatRate, plural } from './progress/quantity-format.ts';
import {
  hostOptionsOf,
  parseRepositoryTarget,
  type RepositoryTarget,
} from './repository-target.ts';
import { type OutputFlags, type UploaderFlags, uploaderOptionsOf } from './uploader-flags.ts';
import { UsageError } from './usage-error.ts';

/** As commander delivers them. */
export interface VerifyFlags extends UploaderFlags, ImageFlags, OutputFlags {
  readonly referrers?: boolean;
}

/** @returns the exit code */
export async function runVerifyCommand(
  context: CliContext,
  word: string,
  source: string | undefined,
  flags: VerifyFlags,
): Promise<number> {
  const target = parseRepositoryTarget(word);
  const reference = referenceOf(word, target);
  const options = { ...uploaderOptionsOf(flags), ...hostOptionsOf(target.host, flags) };
  const chosen = await chooseComparison(context, source, flags);
  const request: VerificationRequest = {
    repository: target.repository,
    reference,
    ...(flags.referrers === true && { referrers: true }),
    ...(chosen !== undefined && { image: chosen.image, ...imageSettingsOf(flags) }),
  };
  const uploader = await context.createUploader(options);
  const quiet = flags.quiet === true;
  const kind = chooseProgressKind(context, { quiet, progress: flags.progress });
  const progress = startProgress(context, kind, undefined, () => uploader.snapshot());
  try {
    const run = await runImage(context, uploader, progress, (call) =>
      uploader.verifyImage(request, { signal: call.drainSignal, onEvent: call.onEvent }),
    );
    progress.stop();
    return endImage(context, run, flags, {
      result: (verification) => resultLine(verification, target.tag),
      summary: (verification) => [summaryLine(verification)],
      interrupted: 'interrupted: the image is not verified',
    });
  } finally {
    progress.stop();
    if (chosen?.usesStdin === true) context.stdin.destroy();
  }
}

function referenceOf(word: string, { tag, digest }: RepositoryTarget): string {
  const reference = tag ?? digest;
  if (reference === undefined || (tag !== undefined && digest !== undefined)) {
    throw new UsageError(`${word}: expected REPOSITORY:TAG or REPOSITORY@DIGEST`);
  }
  return reference;
}

async function chooseComparison(
  context: CliContext,
  source: string | undefined,
  flags: VerifyFlags,
): Promise<ChosenImage | undefined> {
  if (source !== undefined || flags.manifest !== undefined) {
    return chooseImage(context, source, flags);
  }
  const given = Object.entries({
    '--platform': flags.platform,
    '--compression': flags.compression,
    '--compression-level': flags.compressionLevel,
    '--reference': flags.reference,
    '--image-digest': flags.imageDigest,
    '--blob': flags.blob,
    '--blob-directory': flags.blobDirectory,
  }).find(([, value]) => value !== undefined);
  if (given !== undefined) throw new UsageError(`${given[0]} belongs to SOURCE, which is missing`);
  return undefined;
}

function resultLine({ repository, digest }: ImageVerification, tag: string | undefined): string {
  return `${repository}@${digest} verified${tag === undefined ? '' : ` ${tag}`}\n`;
}

/** `13 blobs and 1 manifest, 500 MB read in 4.2 s, 119 MB/s; digests as in the source`. */
function summaryLine(verification: ImageVerification): string {
  const { blobs, manifests, verifiedBytes, durationMs, comparedWithSource } = verification;
  const verifiedCount = blobs.filter(({ outcome }) => outcome === 'verified').length;
  const foreignCount = blobs.length - verifiedCount;
  const rate = formatRate((verifiedBytes / Math.max(1, durationMs)) * 1000);
  const foreign = foreignCount === 0 ? '' : `; ${foreignCount} left with their vendor, not read`;
  const compared = comparedWithSource ? '; digests as in the source' : '';
  return (
    `${plural(verifiedCount, 'blob')} and ${plural(manifests.length, 'manifest')}, ` +
    `${formatBytes(verifiedBytes)} read in ${formatDuration(durationMs)}, ${rate}` +
    `${foreign}${compared}`
  );
}
