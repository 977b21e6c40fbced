/** Where a chunk says that it belongs. */

import { RegistryFailure } from './registry-failure.ts';

/** As the distribution specification writes it, or as HTTP does. */
const CONTENT_RANGE = /^(?:bytes[ =])?(\d{1,15})-(\d{1,15})(?:\/(?:\d+|\*))?$/;

export interface ClaimedRange {
  readonly firstByte: number;
  /** @throws RegistryFailure if so many bytes are not what the range promised. */
  assertSize(receivedBytes: number): void;
}

/**
 * Reads `Content-Range`. Without one a body starts at byte 0: sent behind other bytes it is refused
 * like any part out of order (apple/containerization#790, M).
 *
 * @throws RegistryFailure for a range that makes no sense or is of another size than the body.
 */
export function claimedRangeOf(
  headers: Readonly<Record<string, string>>,
): ClaimedRange | undefined {
  const text = headers['content-range'];
  if (text === undefined) return undefined;
  const [, first, last] = CONTENT_RANGE.exec(text) ?? [];
  const firstByte = Number(first);
  const sizeBytes = Number(last) - firstByte + 1;
  if (!(sizeBytes > 0)) throw invalid('The content range is not valid');
  const assertSize = (receivedBytes: number): void => {
    if (receivedBytes !== sizeBytes) {
      throw invalid(`The content range is of ${sizeBytes} bytes, the body of ${receivedBytes}`);
    }
  };
  const lengthBytes = headers['content-length'];
  if (lengthBytes !== undefined) assertSize(Number(lengthBytes));
  return { firstByte, assertSize };
}

function invalid(message: string): RegistryFailure {
  return new RegistryFailure(416, 'BLOB_UPLOAD_INVALID', message);
}
