/** Events in words, the same on terminals and in logs. */

import type { LayerEvent } from '../../index.ts';
import { formatBytes, formatDuration, formatRate } from './quantity-format.ts';
import { printable } from './text-fit.ts';

type EventOf<Type extends LayerEvent['type']> = Extract<LayerEvent, { readonly type: Type }>;

export function describeStart(event: EventOf<'layer-started'>): string {
  const size = event.sizeBytes === undefined ? 'size unknown' : formatBytes(event.sizeBytes);
  return `${printable(event.source)}: started, ${size}`;
}

export function describeCompletion(event: EventOf<'layer-completed'>): string {
  const { receipt } = event;
  const name = printable(event.source);
  const size = formatBytes(receipt.sizeBytes);
  if (receipt.outcome === 'already-present') {
    const sent =
      receipt.sentBytes === 0 ? 'nothing sent' : `${formatBytes(receipt.sentBytes)} sent`;
    return `${name}: already in ${printable(receipt.repository)}, ${size}, ${sent}`;
  }
  const bytesPerSecond =
    receipt.durationMs > 0 ? (receipt.sizeBytes / receipt.durationMs) * 1000 : undefined;
  const took = formatDuration(receipt.durationMs);
  return `${name}: uploaded, ${size} in ${took}, ${formatRate(bytesPerSecond)}`;
}

/** Short: the code says what happened, the log of a run may hold many of these. */
export function describeRetry(event: EventOf<'call-retried'>): string {
  const part = event.partIndex === undefined ? '' : ` part ${event.partIndex + 1}`;
  const wait = formatDuration(event.delayMs);
  return (
    `${printable(event.source)}:${part} ${event.operation} attempt ${event.attempt} failed ` +
    `(${event.code}), again in ${wait}`
  );
}

export function describeFailure(event: EventOf<'layer-failed'>): string {
  return `${printable(event.source)}: failed, ${event.code}`;
}

export function describeRestart(event: EventOf<'layer-restarted'>): string {
  return `${printable(event.source)}: starts again, ${event.code}`;
}
