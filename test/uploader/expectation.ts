/** What every upload test looks at afterwards. */

import { expect } from 'vitest';
import type { Emulator, JournalEntry } from '../../src/emulator/index.ts';
import { LongshoreError } from '../../src/index.ts';
import type { ErrorCode } from '../../src/index.ts';
import { digestOf } from './layer-bytes.ts';
import { REPOSITORY } from './upload-rig.ts';

/** The upload fails with this code; resolves with the error for a closer look. */
export async function expectFailure<Code extends ErrorCode>(
  upload: Promise<unknown>,
  code: Code,
): Promise<LongshoreError<Code>> {
  const error = await reasonOf(upload);
  if (!LongshoreError.is(error, code)) expect(error).toMatchObject({ code });
  return error as LongshoreError<Code>;
}

/** What `upload` rejects with. */
export function reasonOf(upload: Promise<unknown>): Promise<unknown> {
  return upload.then(
    (value) => {
      throw new Error(`expected a failure, got ${JSON.stringify(value)}`);
    },
    (error: unknown) => error,
  );
}

/** The emulator has exactly these bytes, under their own digest, and nothing is left open. */
export async function expectStored(
  emulator: Emulator,
  bytes: Uint8Array,
  repository: string = REPOSITORY,
): Promise<void> {
  const stored = await emulator.readLayer(repository, digestOf(bytes));
  expect(Buffer.compare(stored, bytes)).toBe(0);
}

/** Within every upload id the accepted parts follow each other, and none was accepted twice. */
export function expectPartsInOrder(emulator: Emulator): void {
  const parts = emulator.journal
    .entries({ operation: 'UploadLayerPart', statusCode: 200 })
    .toSorted(byTimeOfArrival);
  const endByte = new Map<string, number>();
  for (const { uploadId = '', firstByte = -1, lastByte = -1 } of parts) {
    const before = endByte.get(uploadId) ?? 0;
    // A part whose reply was lost has no status, so there may be gaps, but no steps back.
    expect(firstByte, `part of upload ${uploadId}`).toBeGreaterThanOrEqual(before);
    endByte.set(uploadId, lastByte + 1);
  }
}

/** An entry that ended is not yet one whose reply has arrived, so the last body byte counts. */
function byTimeOfArrival(left: JournalEntry, right: JournalEntry): number {
  const difference = (left.receivedAtMs ?? 0) - (right.receivedAtMs ?? 0);
  return difference === 0 ? (left.firstByte ?? 0) - (right.firstByte ?? 0) : difference;
}

/** How often the emulator was asked for each operation. */
export function callCounts(emulator: Emulator): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { operation = 'unknown' } of emulator.journal.entries()) {
    counts[operation] = (counts[operation] ?? 0) + 1;
  }
  return counts;
}
