import { stripVTControlCharacters } from 'node:util';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { LayerSnapshot, UploaderSnapshot } from '../../../src/index.ts';
import { ImageLineDisplay } from '../../../src/cli/progress/image-line-display.ts';
import { ProgressModel } from '../../../src/cli/progress/progress-model.ts';
import { formatRow, layOut } from '../../../src/cli/progress/progress-row.ts';
import { startProgress } from '../../../src/cli/progress/progress-start.ts';
import { chooseStyle } from '../../../src/cli/progress/style.ts';
import { columnsOf } from '../../../src/cli/progress/text-fit.ts';
import { fakeContext, FakeOutput } from '../fake-context.ts';
import { EMPTY_SNAPSHOT } from '../fake-uploader.ts';
import {
  blobsOf,
  completedEvent,
  digestOf,
  IMAGE,
  layerName,
  plannedEvent,
  planOf,
  startedEvent,
} from '../image-sample.ts';

const PLAIN = chooseStyle({ env: { NO_COLOR: '1' }, platform: 'linux' }, { isTerminal: true });

function active(index: number, more: Partial<LayerSnapshot> = {}): LayerSnapshot {
  return {
    ...layerName(index),
    state: 'sending',
    digest: digestOf(index),
    sizeBytes: 1_000_000,
    hashedBytes: 0,
    acceptedBytes: 200_000,
    wiredBytes: 500_000,
    partsInFlight: 1,
    ...more,
  };
}

function under(...layers: readonly LayerSnapshot[]): UploaderSnapshot {
  return { ...EMPTY_SNAPSHOT, layers };
}

function planned(count: number, uploadCount: number): ProgressModel {
  const model = new ProgressModel(undefined);
  model.record(plannedEvent(planOf(blobsOf(count, uploadCount))));
  return model;
}

describe('an image with few layers', () => {
  test('has a row for each, in the order of the plan, whatever becomes of them', () => {
    const model = planned(4, 3);
    model.record(startedEvent(0));
    model.record(completedEvent(0));
    const view = model.view(under(active(1)), 0, 10);
    expect(view.layers.map(({ label, state }) => `${label} ${state}`)).toEqual([
      '000000000000 done',
      '000000000001 sending',
      '000000000002 waiting',
      '000000000003 present',
    ]);
    expect(view.omitted).toBe('');
  });

  test('counts in its total only what has to travel', () => {
    const model = planned(4, 3);
    model.record(completedEvent(0));
    const { total } = model.view(under(active(1)), 0, 10);
    expect(total).toMatchObject({ label: '2/4 blobs', doneBytes: 1_200_000, sizeBytes: 3_000_000 });
  });

  test('is prepared at first, and its manifests come last', () => {
    const model = new ProgressModel(undefined);
    const compressing = active(7, { state: 'compressing', digest: undefined, hashedBytes: 4000 });
    const before = model.view(under(compressing), 0, 10);
    expect(before.total).toMatchObject({ label: 'preparing', doneBytes: 4000 });
    expect(before.layers).toMatchObject([{ state: 'compressing', doneBytes: 4000 }]);
    model.record(plannedEvent(planOf(blobsOf(2, 0))));
    expect(model.view(under(), 0, 10).total.state).toBe('manifests');
    const digest = digestOf(9);
    model.record({ ...IMAGE, type: 'manifest-put', digest, tag: '1', outcome: 'put' });
    expect(model.view(under(), 0, 10).total).toMatchObject({ state: '', label: '2/2 blobs' });
  });

  test('counts a layer once that had to be sent twice', () => {
    const model = planned(2, 2);
    model.record(completedEvent(0));
    model.record(completedEvent(0));
    expect(model.view(under(), 0, 10).total).toMatchObject({
      label: '1/2 blobs',
      doneBytes: 1_000_000,
    });
  });

  test('says which layer failed', () => {
    const model = planned(2, 2);
    model.record(startedEvent(1));
    model.record({ ...layerName(1), type: 'layer-failed', code: 'E_NETWORK', message: 'gone' });
    const view = model.view(under(), 0, 10);
    expect(view.total.state).toBe('1 failed');
    expect(view.layers.map(({ state }) => state)).toEqual(['waiting', 'failed']);
  });
});

describe('an image with 200 layers', () => {
  const busy = under(...Array.from({ length: 6 }, (_, index) => active(index + 20)));

  function midway(): ProgressModel {
    const model = planned(200, 120);
    for (let index = 0; index < 20; index += 1) model.record(completedEvent(index));
    return model;
  }

  test('shows those under way and counts the others', () => {
    const view = midway().view(busy, 0, 21);
    expect(view.layers).toHaveLength(6);
    expect(view.omitted).toBe('and 94 waiting, 20 done, 80 already there (80.0 MB)');
  });

  test('shows as many of them as there is room for', () => {
    const view = midway().view(busy, 0, 4);
    expect(view.layers).toHaveLength(3);
    expect(view.omitted).toMatch(/^and 3 more under way, 94 waiting/);
  });

  test.each([
    [20, 24],
    [40, 24],
    [80, 24],
    [80, 5],
    [132, 50],
    [300, 250],
  ])('on %d columns and %d rows every line fits', (columns, rows) => {
    vi.useFakeTimers();
    const context = fakeContext({ env: { TERM: 'xterm', NO_COLOR: '1' } });
    Object.assign(context.stderr, { isTerminal: true, columns, rows });
    const progress = startProgress(context, 'bars', undefined, () => busy);
    progress.record(plannedEvent(planOf(blobsOf(200, 120))));
    const call = { operation: 'UploadLayerPart', attempt: 1, delayMs: 200 };
    const told = { code: 'E_THROTTLED', message: 'Rate exceeded' } as const;
    progress.record({ ...layerName(20), type: 'call-retried', ...call, ...told });
    context.stderr.text = '';
    vi.advanceTimersByTime(200);
    const frame = stripVTControlCharacters(context.stderr.text.split('\u001b[?2026h').at(-1) ?? '');
    const lines = frame.split('\n');
    expect(lines.length).toBeLessThanOrEqual(rows);
    for (const line of lines) expect(columnsOf(line)).toBeLessThan(columns);
    progress.stop();
    vi.useRealTimers();
  });
});

test('a verification has a total, and no more', () => {
  const model = new ProgressModel(undefined);
  model.record({ type: 'verification-started', blobCount: 2, sizeBytes: 3_000_000 });
  model.view(under(), 0, 10);
  const verified = { digest: digestOf(0), sizeBytes: 1_000_000, durationMs: 10 };
  model.record({ type: 'blob-verified', ...verified });
  const view = model.view(under(), 1000, 10);
  expect(view.layers).toEqual([]);
  expect(view.total).toMatchObject({
    label: '1/2 blobs',
    state: '1 left',
    doneBytes: 1_000_000,
    sizeBytes: 3_000_000,
    bytesPerSecond: 1_000_000,
    secondsLeft: 2,
  });
});

test('a layer that is compressed says so, even on 40 columns', () => {
  const layer = active(7, { state: 'compressing', digest: undefined, hashedBytes: 4000 });
  const view = new ProgressModel(undefined).view(under(layer), 0, 10);
  for (const columns of [40, 80]) {
    const layout = layOut(columns, view.labelColumns, view.layers);
    const lines = view.layers.map((row) => formatRow(row, layout, PLAIN));
    expect(lines).toEqual([expect.stringContaining(' compressing ')]);
  }
});

test('a layer that rests shows no rate, one that moves does', () => {
  const view = planned(2, 1).view(under(active(0)), 0, 10);
  const lines = view.layers.map((row) => formatRow(row, layOut(80, view.labelColumns), PLAIN));
  expect(lines.map((line) => line.trimEnd().split(/ +/).at(-1))).toEqual(['-', 'MB']);
});

describe('lines for a log', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  function logOf(snapshot: UploaderSnapshot = EMPTY_SNAPSHOT): {
    readonly stderr: FakeOutput;
    readonly display: ImageLineDisplay;
  } {
    const stderr = new FakeOutput();
    const startedMs = Date.now();
    const now = (): number => Date.now() - startedMs;
    return { stderr, display: new ImageLineDisplay({ stderr, now }, () => snapshot) };
  }

  test('tell the plan, and a few layers one by one', () => {
    const { stderr, display } = logOf();
    display.record(plannedEvent(planOf(blobsOf(200, 120))));
    for (let index = 0; index < 120; index += 1) display.record(completedEvent(index));
    display.stop();
    expect(stderr.lines).toHaveLength(26);
    expect(stderr.lines[0]).toBe(
      'planned: 120 of 200 blobs to upload, 120 MB; 80 to skip, 80.0 MB',
    );
    expect(stderr.lines[1]).toBe('000000000000: uploaded, 1.00 MB in 0.1 s, 10.0 MB/s');
    expect(stderr.lines.at(-1)).toBe('what follows is only counted');
  });

  test('tell now and then how far the whole is, and more rarely as time goes by', () => {
    const { stderr, display } = logOf(under(active(0)));
    display.record(plannedEvent(planOf(blobsOf(2, 2))));
    vi.advanceTimersByTime(20_000);
    expect(stderr.lines.slice(1)).toEqual([
      '0/2 blobs, 10% of 2.00 MB',
      '0/2 blobs, 10% of 2.00 MB, 0 B/s',
    ]);
    vi.advanceTimersByTime(24 * 3600 * 1000);
    expect(stderr.lines.length).toBeLessThan(200);
    display.stop();
    expect(vi.getTimerCount()).toBe(0);
  });

  test('tell retries a few times and count them after that', () => {
    const { stderr, display } = logOf();
    const call = { operation: 'PutImage', attempt: 1, delayMs: 200 };
    for (let count = 0; count < 50; count += 1) {
      const told = { code: 'E_THROTTLED', message: 'Rate exceeded' } as const;
      display.record({ ...IMAGE, type: 'image-call-retried', ...call, ...told });
    }
    expect(stderr.lines).toHaveLength(11);
    expect(stderr.lines[0]).toBe('PutImage attempt 1 failed (E_THROTTLED), again in 0.2 s');
    vi.advanceTimersByTime(10_000);
    expect(stderr.lines.at(-1)).toBe('preparing, 0 B, 50 retries (50 throttled)');
    display.stop();
  });
});
