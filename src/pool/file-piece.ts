/** Reading files piece by piece inside a worker; what goes wrong becomes data. */

import { closeSync, openSync, readSync } from 'node:fs';
import { JobError, systemCodeDetail } from './job-failure.ts';

export function openForReading(path: string): number {
  try {
    return openSync(path, 'r');
  } catch (error) {
    throw unreadable(error);
  }
}

export function closeFile(descriptor: number): void {
  closeSync(descriptor);
}

/**
 * Fills the first `wanted` bytes of `target`.
 * @param position in the layer, whose first byte is at `offsetBytes` of the file
 */
export function fill(
  descriptor: number,
  target: Buffer,
  wanted: number,
  position: number,
  offsetBytes: number,
): void {
  let filled = 0;
  while (filled < wanted) {
    let count: number;
    try {
      const at = offsetBytes + position + filled;
      count = readSync(descriptor, target, filled, wanted - filled, at);
    } catch (error) {
      throw unreadable(error);
    }
    if (count === 0) {
      const foundBytes = position + filled;
      throw new JobError({ kind: 'short', message: `ended after ${foundBytes} bytes`, foundBytes });
    }
    filled += count;
  }
}

function unreadable(error: unknown): JobError {
  const message = error instanceof Error ? error.message : String(error);
  return new JobError({ kind: 'unreadable', message, ...systemCodeDetail(error) });
}
