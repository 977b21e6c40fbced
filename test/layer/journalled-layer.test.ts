import { describe, expect, test } from 'vitest';
import { LongshoreError } from '../../src/errors.ts';
import { type JournalledLayer, openJournal } from '../../src/layer/journalled-layer.ts';
import type { LayerJournal } from '../../src/layer/layer-journal.ts';

const SAVED = new Uint8Array([1]);
const FOUND = {
  uploadId: 'one',
  partSizeBytes: 10,
  sizeBytes: undefined,
  file: undefined,
  endByte: 10,
  partCount: 1,
  savedHash: SAVED,
};

/** @param fails whether the nth digest fails, counted over all, and of which state */
function layerOf(fails: (count: number, saved: Uint8Array | undefined) => boolean) {
  const done: string[] = [];
  let digestCount = 0;
  const note = (name: string) => () => {
    done.push(name);
    return Promise.resolve();
  };
  const journal: LayerJournal = {
    found: FOUND,
    begin: note('begin'),
    note: () => undefined,
    discard: note('discard'),
    close: note('close'),
  };
  const layer = {
    journals: { open: () => Promise.resolve(journal) },
    workshop: {
      openHash: (_label: string, { saved }: { saved: Uint8Array | undefined }) => ({
        digest: async () => {
          digestCount += 1;
          if (fails(digestCount, saved))
            throw new LongshoreError('E_WORKER_LOST', 'gone', { job: 'digest' });
        },
        dispose: () => undefined,
      }),
    },
    partSizeBytes: 10,
    repository: 'team/app',
    source: { sizeBytes: undefined, rereadable: false, path: undefined, file: undefined },
    sourceLabel: 'a stream',
    digest: `sha256:${'ab'.repeat(32)}`,
    progress: {
      emit: ({ type, reason }: Record<string, string>) => done.push(`${type}: ${reason}`),
    },
  };
  return { layer: layer as unknown as JournalledLayer, done };
}

describe('the journal of a stream', () => {
  test('is not gone on with where the state of its digest is refused', async () => {
    const { layer, done } = layerOf((_count, saved) => saved !== undefined);
    expect(await openJournal(layer)).toMatchObject({ found: undefined });
    expect(done).toEqual(['journal-unusable: damaged', 'discard']);
  });

  test.each([
    { why: 'a thread is lost once', fails: (count: number) => count === 1 },
    { why: 'no thread can be had at all', fails: () => true },
    { why: 'nothing fails', fails: () => false },
  ])('is kept where $why', async ({ fails }) => {
    const { layer, done } = layerOf(fails);
    expect(await openJournal(layer)).toMatchObject({ found: FOUND });
    expect(done).toEqual([]);
  });
});
