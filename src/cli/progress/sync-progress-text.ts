/** Where a whole sync stands, in one line; what tells most comes first, for terminals cut the end. */

import type { SyncProgress } from '../sync-functions.ts';
import { countText, formatBytes, formatClock, formatRate, plural } from './quantity-format.ts';

/** `312 of 1204 images, 2 failed, 1.20 GB sent, 45.0 MB/s, 12:03 left, 4 under way`. */
export function syncProgressText(progress: SyncProgress): string {
  const { imagesDone, imagesFailed, imagesInFlight, imagesWaiting, discovered } = progress;
  const knownCount = imagesDone + imagesFailed + imagesInFlight + imagesWaiting;
  const left =
    progress.remainingMs === undefined || !discovered
      ? ''
      : `${formatClock(progress.remainingMs / 1000)} left`;
  return [
    knownCount === 0 && !discovered
      ? ''
      : `${imagesDone} of ${plural(knownCount, 'image')}${discovered ? '' : ' so far'}`,
    countText(imagesFailed, 'failed'),
    amountText(progress.uploadedBytes, 'sent'),
    progress.bytesPerSecond > 0 ? formatRate(progress.bytesPerSecond) : '',
    left,
    discovered ? '' : `still looking at sources (${plural(progress.tagCount, 'tag')})`,
    amountText(progress.mountedBytes, 'mounted'),
    countText(progress.throttledCallCount, 'throttled'),
    countText(imagesInFlight, 'under way'),
  ]
    .filter((text) => text !== '')
    .join(', ');
}

function amountText(sizeBytes: number, what: string): string {
  return sizeBytes === 0 ? '' : `${formatBytes(sizeBytes)} ${what}`;
}
