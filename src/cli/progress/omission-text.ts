/** What there is no row for, in words. */

import type { LayerLedger } from './layer-ledger.ts';
import { countText, formatBytes } from './quantity-format.ts';

/**
 * `and 2 more under way, 120 waiting, 3 done, 75 already there (380 MB)`.
 * @param omittedCount layers under way that have no row
 */
export function omissionText(
  ledger: LayerLedger,
  activeCount: number,
  omittedCount: number,
): string {
  const presentCount = ledger.countOf('present', 'foreign');
  const size = ledger.skippedBytes === 0 ? '' : ` (${formatBytes(ledger.skippedBytes)})`;
  const texts = [
    countText(omittedCount, 'more under way'),
    countText(Math.max(0, ledger.count - ledger.endedCount - activeCount), 'waiting'),
    countText(ledger.countOf('uploaded'), 'done'),
    presentCount === 0 ? '' : `${presentCount} already there${size}`,
  ].filter((text) => text !== '');
  return texts.length === 0 ? '' : `and ${texts.join(', ')}`;
}

export function retriesText(retryCount: number, throttledCount: number): string {
  if (retryCount === 0) return '';
  const throttled = throttledCount === 0 ? '' : ` (${throttledCount} throttled)`;
  return `${retryCount} ${retryCount === 1 ? 'retry' : 'retries'}${throttled}`;
}
