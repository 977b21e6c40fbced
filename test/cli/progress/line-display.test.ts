import { expect, test } from 'vitest';
import type { LayerEvent } from '../../../src/index.ts';
import { LineDisplay } from '../../../src/cli/progress/line-display.ts';
import { FakeOutput } from '../fake-context.ts';

const NAME = { repository: 'team/app', source: 'base.tar.gz', layerId: 1 };
const MIB = 1024 * 1024;

function started(sizeBytes: number): LayerEvent {
  return { ...NAME, type: 'layer-started', sizeBytes, digest: undefined };
}

function acknowledged(partIndex: number): LayerEvent {
  const firstByte = partIndex * MIB;
  const range = { partIndex, firstByte, endByte: firstByte + MIB };
  return { ...NAME, type: 'part-acknowledged', ...range, attemptCount: 1, durationMs: 1 };
}

function retried(attempt: number): LayerEvent {
  const call = { operation: 'UploadLayerPart', partIndex: 2, attempt, delayMs: 400 };
  return { ...NAME, type: 'call-retried', ...call, code: 'E_THROTTLED', message: 'Rate exceeded' };
}

test('a layer tells of its progress at most once in 10 seconds', () => {
  const stderr = new FakeOutput();
  let nowMs = 0;
  const display = new LineDisplay({ stderr, now: () => nowMs });
  display.record(started(100 * MIB));
  for (let part = 0; part < 60; part += 1) {
    nowMs += 500;
    display.record(acknowledged(part));
  }
  expect(stderr.lines).toEqual([
    'base.tar.gz: started, 105 MB',
    'base.tar.gz: 20% of 105 MB, 2.10 MB/s',
    'base.tar.gz: 40% of 105 MB, 2.10 MB/s',
    'base.tar.gz: 60% of 105 MB, 2.10 MB/s',
  ]);
});

test('retries are told a few times and counted after that', () => {
  const stderr = new FakeOutput();
  const display = new LineDisplay({ stderr, now: () => 0 });
  display.record(started(MIB));
  for (let attempt = 1; attempt <= 20; attempt += 1) display.record(retried(attempt));
  display.record({ ...NAME, type: 'layer-failed', code: 'E_THROTTLED', message: 'Rate exceeded' });
  expect(stderr.lines[1]).toBe(
    'base.tar.gz: part 3 UploadLayerPart attempt 1 failed (E_THROTTLED), again in 0.4 s',
  );
  expect(stderr.lines).toHaveLength(8);
  expect(stderr.lines.at(-1)).toBe('base.tar.gz: failed, E_THROTTLED (15 more retries)');
});

test('a repository that several layers found missing is created once', () => {
  const stderr = new FakeOutput();
  const display = new LineDisplay({ stderr, now: () => 0 });
  display.record({ ...NAME, type: 'repository-created' });
  display.record({ ...NAME, layerId: 2, type: 'repository-created' });
  expect(stderr.lines).toEqual(['team/app: repository created']);
});
