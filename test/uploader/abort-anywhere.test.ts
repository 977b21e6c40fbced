import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bytesSource, fileSource, streamSource } from '../../src/index.ts';
import type { LayerEvent, LayerSource } from '../../src/index.ts';
import { MIB } from '../../src/limits.ts';
import { expectStored } from './expectation.ts';
import { digestOf, layerBytes } from './layer-bytes.ts';
import { startRig } from './upload-rig.ts';

/** An abort is answered within this time, whatever is under way. */
const ANSWER_MS_MAX = 1000;
/** A thread that is busy has begun with a part when it hears of the abort; on a busy machine that takes a while. */
const ON_ITS_WAY_MS = 500;
const RUNS = 10;
const bytes = layerBytes(16 * MIB);
const digest = digestOf(bytes);

interface Case {
  readonly source: 'file' | 'bytes' | 'stream';
  readonly partsInFlight: number;
  /** Aborts when the upload has so many events, or the registry so many calls, behind it. */
  readonly point: { readonly of: 'events' | 'calls'; readonly count: number };
  readonly hasFaults: boolean;
}

const anyCase: fc.Arbitrary<Case> = fc.record({
  source: fc.constantFrom('file', 'bytes', 'stream'),
  partsInFlight: fc.constantFrom(1, 3),
  point: fc.oneof(
    fc.record({ of: fc.constant('events' as const), count: fc.integer({ min: 0, max: 8 }) }),
    fc.record({ of: fc.constant('calls' as const), count: fc.integer({ min: 0, max: 7 }) }),
  ),
  hasFaults: fc.boolean(),
});

test('an abort anywhere is answered at once, nothing is sent after it, and the next run goes on', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'longshore-'));
  try {
    const path = join(folder, 'layer.tar');
    writeFileSync(path, bytes);
    let runCount = 0;
    await fc.assert(
      fc.asyncProperty(anyCase, async (one) => {
        runCount += 1;
        await abortAndGoOn(one, path, join(folder, `journals-${runCount}`));
      }),
      { numRuns: RUNS, endOnFailure: true },
    );
    expect(runCount).toBe(RUNS);
  } finally {
    rmSync(folder, { recursive: true });
  }
}, 120_000);

async function abortAndGoOn(one: Case, path: string, resumeDirectory: string): Promise<void> {
  await using rig = await startRig({
    uploader: { resumeDirectory, partsInFlight: one.partsInFlight, workersMax: 2 },
    emulator: { network: { serviceTimeMs: { UploadLayerPart: 5 } } },
    faults: one.hasFaults
      ? [
          { operation: 'UploadLayerPart', nth: 2, action: { kind: 'lose-reply' } },
          { operation: 'InitiateLayerUpload', action: { kind: 'throttle' } },
        ]
      : [],
  });
  const abort = new AbortController();
  const reason = new Error('enough');
  const events: LayerEvent[] = [];
  let abortedAtMs = 0;
  let abortedAtServerMs = 0;
  const ending = { isOver: false };
  const look = (): void => {
    const { of, count } = one.point;
    const reached = of === 'events' ? events.length : rig.emulator.journal.count();
    if (ending.isOver || abort.signal.aborted || reached < count) return;
    abortedAtMs = performance.now();
    abortedAtServerMs = Date.now();
    abort.abort(reason);
  };
  const call = {
    signal: abort.signal,
    onEvent: (event: LayerEvent) => {
      events.push(event);
      look();
    },
  };
  const upload = rig.upload(sourceOf(one, path), call).then(
    () => undefined,
    (error: unknown) => error,
  );
  void upload.then(() => {
    ending.isOver = true;
  });
  while (!ending.isOver) {
    look();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const failure = await upload;
  // The layer was done before its time had come.
  if (abortedAtMs === 0) return;
  expect(performance.now() - abortedAtMs).toBeLessThan(ANSWER_MS_MAX);
  // Its last call may have been answered in the same turn.
  expect(failure ?? reason).toBe(reason);
  while (rig.uploader.snapshot().layers.length > 0) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  const late = rig.emulator.journal
    .entries()
    .filter(({ startedAtMs }) => startedAtMs > abortedAtServerMs + ON_ITS_WAY_MS);
  expect(late).toEqual([]);

  const acknowledged = events.filter(({ type }) => type === 'part-acknowledged').length;
  const again: LayerEvent[] = [];
  const receipt = await rig.upload(sourceOf(one, path), { onEvent: (event) => again.push(event) });
  expect(again.filter(({ type }) => type === 'journal-unusable')).toEqual([]);
  // What was acknowledged is not sent again, unless the layer was there by then.
  const acknowledgedBytes = Math.min(acknowledged * 5 * MIB, bytes.length);
  const leastBytes = receipt.outcome === 'uploaded' ? acknowledgedBytes : 0;
  expect(receipt.resumedBytes).toBeGreaterThanOrEqual(leastBytes);
  expect(receipt.digest).toBe(digest);
  await expectStored(rig.emulator, bytes);
  expect(
    readdirSync(resumeDirectory, { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    ),
  ).toEqual([]);
}

/** All of them can be resumed: the stream by its digest. */
function sourceOf({ source }: Case, path: string): LayerSource {
  if (source === 'file') return fileSource(path);
  if (source === 'bytes') return bytesSource(bytes, { digest });
  return streamSource(() => new Blob([bytes]).stream(), { digest });
}
