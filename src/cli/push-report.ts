/** What a push prints in the end. */

import type { ImageReceipt } from '../index.ts';
import { countText, formatBytes, formatDuration, plural } from './progress/quantity-format.ts';

/** `team/app@sha256:... pushed 1.0 latest`. */
export function pushLine(receipt: ImageReceipt): string {
  const { repository, digest, outcome, tags } = receipt;
  return `${[`${repository}@${digest}`, outcome, ...tags.map(({ tag }) => tag)].join(' ')}\n`;
}

/** For people: tags that were moved, and the sums. */
export function pushSummary(receipt: ImageReceipt): string[] {
  const moved = receipt.tags.flatMap(({ tag, previousDigest }) =>
    previousDigest === undefined ? [] : [`tag ${tag} moved from ${previousDigest}`],
  );
  const untagged = receipt.tags.length === 0 ? ['no tag was given: pull it by its digest'] : [];
  return [...moved, ...untagged, sumLine(receipt)];
}

/** `12 layers: 3 uploaded, 9 already there; 120 MB sent, 380 MB skipped; 41 calls in 4.2 s`. */
function sumLine(receipt: ImageReceipt): string {
  const layers = receipt.blobs.filter(({ kind }) => kind === 'layer');
  const countOf = (outcome: string): number =>
    layers.filter((layer) => layer.outcome === outcome).length;
  const outcomes = [
    countText(countOf('uploaded'), 'uploaded'),
    countText(countOf('mounted'), 'mounted'),
    countText(countOf('already-present'), 'already there'),
    countText(countOf('foreign'), 'left with their vendor'),
  ].filter((text) => text !== '');
  const sent = receipt.sentBytes === 0 ? 'nothing' : formatBytes(receipt.sentBytes);
  const skipped =
    receipt.skippedBytes === 0 ? '' : `, ${formatBytes(receipt.skippedBytes)} skipped`;
  const took = formatDuration(receipt.durationMs);
  return [
    `${plural(layers.length, 'layer')}${outcomes.length === 0 ? '' : `: ${outcomes.join(', ')}`}`,
    `${sent} sent${skipped}`,
    `${plural(receipt.callCount, 'call')} in ${took}`,
  ].join('; ');
}
