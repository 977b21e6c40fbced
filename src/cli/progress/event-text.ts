/** Events in words, the same on terminals and in logs. A `layer` is what it is called, if not its source. */

import type { ImageEvent, VerificationEvent } from '../../index.ts';
import { digestLabel } from './layer-ledger.ts';
import { formatBytes, formatDuration, formatRate, plural } from './quantity-format.ts';
import { printable } from './text-fit.ts';

type ProgressEvent = ImageEvent | VerificationEvent;
type EventOf<Type extends ProgressEvent['type']> = Extract<ProgressEvent, { readonly type: Type }>;

export function describeStart(event: EventOf<'layer-started'>): string {
  const size = event.sizeBytes === undefined ? 'size unknown' : formatBytes(event.sizeBytes);
  return `${printable(event.source)}: started, ${size}`;
}

export function describeCompletion(
  event: EventOf<'layer-completed'>,
  layer: string = event.source,
  durationMs: number = event.receipt.durationMs,
): string {
  const { receipt } = event;
  const name = printable(layer);
  const size = formatBytes(receipt.sizeBytes);
  if (receipt.outcome === 'already-present') {
    const sent =
      receipt.sentBytes === 0 ? 'nothing sent' : `${formatBytes(receipt.sentBytes)} sent`;
    return `${name}: already in ${printable(receipt.repository)}, ${size}, ${sent}`;
  }
  const bytesPerSecond = durationMs > 0 ? (receipt.sizeBytes / durationMs) * 1000 : undefined;
  const took = formatDuration(durationMs);
  return `${name}: uploaded, ${size} in ${took}, ${formatRate(bytesPerSecond)}`;
}

/** Short: the code says what happened, the log of a run may hold many of these. */
export function describeRetry(
  event: EventOf<'call-retried'>,
  layer: string = event.source,
): string {
  const part = event.partIndex === undefined ? '' : ` part ${event.partIndex + 1}`;
  const wait = formatDuration(event.delayMs);
  return (
    `${printable(layer)}:${part} ${event.operation} attempt ${event.attempt} failed ` +
    `(${event.code}), again in ${wait}`
  );
}

export function describeImageRetry(event: EventOf<'image-call-retried'>): string {
  const wait = formatDuration(event.delayMs);
  return `${event.operation} attempt ${event.attempt} failed (${event.code}), again in ${wait}`;
}

export function describeInvisibility(event: EventOf<'layers-not-visible'>): string {
  const wait = formatDuration(event.delayMs);
  return `manifest ${digestLabel(event.digest)}: ECR does not see its layers yet, again in ${wait}`;
}

export function describeCompression(event: EventOf<'layer-compressed'>): string {
  const sizes = `${formatBytes(event.uncompressedSizeBytes)} to ${formatBytes(event.sizeBytes)}`;
  return `${printable(event.source)}: compressed, ${sizes} in ${formatDuration(event.durationMs)}`;
}

/** `3 of 12 blobs to upload, 120 MB; 9 to skip, 380 MB`. */
export function describePlan({ plan }: EventOf<'image-planned'>): string {
  const uploadCount = plan.blobs.filter(({ action }) => action === 'upload').length;
  const skipCount = plan.blobs.length - uploadCount;
  const upload = uploadCount === 0 ? '' : `, ${formatBytes(plan.uploadBytes)}`;
  const skip = skipCount === 0 ? '' : `; ${skipCount} to skip, ${formatBytes(plan.presentBytes)}`;
  return `planned: ${uploadCount} of ${plural(plan.blobs.length, 'blob')} to upload${upload}${skip}`;
}

export function describeManifest(event: EventOf<'manifest-put'>): string {
  const name = event.tag === undefined ? '' : ` as ${event.tag}`;
  const outcome = event.outcome === 'put' ? 'put' : 'already there';
  return `manifest ${digestLabel(event.digest)}: ${outcome}${name}`;
}

export function describeVerified(event: EventOf<'blob-verified'>): string {
  const took = formatDuration(event.durationMs);
  return `${digestLabel(event.digest)}: verified, ${formatBytes(event.sizeBytes)} in ${took}`;
}

export function describeFailure(
  event: EventOf<'layer-failed'>,
  layer: string = event.source,
): string {
  return `${printable(layer)}: failed, ${event.code}`;
}

export function describeRestart(
  event: EventOf<'layer-restarted'>,
  layer: string = event.source,
): string {
  return `${printable(layer)}: starts again, ${event.code}`;
}
