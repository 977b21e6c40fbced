import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { LayerEvent, LayerSnapshot, UploaderSnapshot } from '../../../src/index.ts';
import { ProgressModel } from '../../../src/cli/progress/progress-model.ts';
import { formatRow, layOut } from '../../../src/cli/progress/progress-row.ts';
import { chooseStyle } from '../../../src/cli/progress/style.ts';
import { columnsOf } from '../../../src/cli/progress/text-fit.ts';
import { DIGEST, EMPTY_SNAPSHOT } from '../fake-uploader.ts';

function layerOf(layerId: number, more: Partial<LayerSnapshot> = {}): LayerSnapshot {
  return {
    repository: 'team/app',
    source: `layer-${layerId}.tar.gz`,
    layerId,
    state: 'sending',
    digest: undefined,
    sizeBytes: 1000,
    hashedBytes: 0,
    acceptedBytes: 200,
    wiredBytes: 500,
    partsInFlight: 1,
    ...more,
  };
}

function snapshotOf(layers: readonly LayerSnapshot[]): UploaderSnapshot {
  return { ...EMPTY_SNAPSHOT, layers };
}

function completed(layerId: number, sentBytes = 1000): LayerEvent {
  const name = { repository: 'team/app', source: `layer-${layerId}.tar.gz` };
  const outcome = sentBytes === 0 ? 'already-present' : 'uploaded';
  const receipt = { ...name, digest: DIGEST, sizeBytes: 1000, outcome, partCount: 1 } as const;
  return {
    ...name,
    layerId,
    type: 'layer-completed',
    receipt: { ...receipt, sentBytes, resumedBytes: 0, durationMs: 10 },
  };
}

function failed(layerId: number, code: 'E_NETWORK' | 'ABORTED'): LayerEvent {
  const name = { repository: 'team/app', source: `layer-${layerId}.tar.gz`, layerId };
  return { ...name, type: 'layer-failed', code, message: 'it failed' };
}

function modelOf(count: number): ProgressModel {
  return new ProgressModel(
    Array.from({ length: count }, (_, index) => ({
      label: `layer-${index}.tar.gz`,
      sizeBytes: 1000,
    })),
  );
}

describe('which layers are shown', () => {
  test('those under way, in the order in which they were asked for; waiting ones are counted', () => {
    const layers = [layerOf(0), layerOf(1, { state: 'waiting' }), layerOf(2)];
    const view = modelOf(3).view(snapshotOf(layers), 0, 10);
    expect(view.layers.map((row) => row.label)).toEqual(['layer-0.tar.gz', 'layer-2.tar.gz']);
    expect(view.total.state).toBe('1 waiting');
    expect(view.omitted).toBe('');
  });

  test.each([0, 1, 5, 21])('200 layers in %d rows: the rest is told in one of them', (rows) => {
    const layers = Array.from({ length: 200 }, (_, index) => layerOf(index));
    const view = modelOf(200).view(snapshotOf(layers), 0, rows);
    const shown = Math.max(0, rows - 1);
    expect(view.layers).toHaveLength(shown);
    expect(view.omitted).toBe(`and ${200 - shown} more under way`);
  });
});

describe('the total', () => {
  test('counts finished layers whole, and those under way by what is acknowledged', () => {
    const model = modelOf(3);
    model.record(completed(0));
    const { total } = model.view(snapshotOf([layerOf(1)]), 0, 10);
    expect(total).toMatchObject({
      label: '1/3 layers',
      state: '1 waiting',
      doneBytes: 1200,
      wiredBytes: 1500,
      sizeBytes: 3000,
    });
  });

  test('a layer that was there counts as done, but not for the rate', () => {
    const model = modelOf(2);
    model.view(snapshotOf([]), 0, 10);
    model.record(completed(0, 0));
    const { total } = model.view(snapshotOf([]), 1000, 10);
    expect(total).toMatchObject({ doneBytes: 1000, bytesPerSecond: 0, secondsLeft: undefined });
  });

  test('a failed layer is no longer expected; an interrupted one is not called failed', () => {
    const model = modelOf(3);
    model.record(failed(0, 'E_NETWORK'));
    model.record(failed(1, 'ABORTED'));
    const { total } = model.view(snapshotOf([]), 0, 10);
    expect(total).toMatchObject({ state: '1 failed', sizeBytes: 1000 });
  });

  test('its size is unknown while a stream runs, and known afterwards', () => {
    const model = new ProgressModel([
      { label: 'standard input', sizeBytes: undefined },
      { label: 'layer-1.tar.gz', sizeBytes: 1000 },
    ]);
    expect(model.view(snapshotOf([]), 0, 10).total.sizeBytes).toBeUndefined();
    model.record({ ...completed(0), source: 'standard input' });
    expect(model.view(snapshotOf([]), 0, 10).total.sizeBytes).toBe(2000);
  });
});

describe('a row', () => {
  const plain = chooseStyle({ env: { NO_COLOR: '1' }, platform: 'linux' }, { isTerminal: true });
  const colored = chooseStyle(
    { env: { FORCE_COLOR: '1' }, platform: 'linux' },
    { isTerminal: false },
  );

  test('is the same on 80 columns as it always was', () => {
    const layer = layerOf(0, { sizeBytes: 49_300_000, acceptedBytes: 20e6, wiredBytes: 30e6 });
    const model = new ProgressModel([{ label: 'layer-0.tar.gz', sizeBytes: 49_300_000 }]);
    const started = { ...layer, acceptedBytes: 0, wiredBytes: 0 };
    model.view(snapshotOf([started]), 0, 10);
    const [row] = model.view(snapshotOf([layer]), 1000, 10).layers;
    expect(row === undefined ? '' : formatRow(row, layOut(80, 14), plain)).toBe(
      'layer-0.tar.gz sending    █████████▓▓▓▓▓▓░░░░░░░░░  40% 49.3 MB 30.0 MB/s  0:01',
    );
  });

  test('never reaches the last column, whatever the width', () => {
    const layer = layerOf(0, { source: '層'.repeat(60), sizeBytes: 52e9, wiredBytes: 1 });
    const model = modelOf(300);
    const view = model.view(snapshotOf([layer, layerOf(1, { sizeBytes: undefined })]), 0, 10);
    for (let columns = 16; columns <= 300; columns += 1) {
      for (const row of [view.total, ...view.layers]) {
        const line = formatRow(row, layOut(columns, 200), colored);
        expect(columnsOf(stripVTControlCharacters(line))).toBeLessThan(columns);
      }
    }
  });

  test('of a layer that is hashed shows how much is hashed', () => {
    const layer = layerOf(0, {
      state: 'hashing',
      hashedBytes: 700,
      acceptedBytes: 0,
      wiredBytes: 0,
    });
    const [row] = modelOf(1).view(snapshotOf([layer]), 0, 10).layers;
    expect(row).toMatchObject({ state: 'hashing', tone: 'preparing', doneBytes: 700 });
  });
});

describe('colours', () => {
  test.each([
    [{}, true, true],
    [{}, false, false],
    [{ NO_COLOR: '1' }, true, false],
    [{ NO_COLOR: '', FORCE_COLOR: '1' }, false, true],
    [{ FORCE_COLOR: '0' }, true, false],
    [{ NO_COLOR: '1', FORCE_COLOR: '1' }, true, false],
    [{ TERM: 'dumb' }, true, false],
  ])('%j on a terminal %s: %s', (env, isTerminal, expected) => {
    const { colors } = chooseStyle({ env, platform: 'linux' }, { isTerminal });
    expect(colors.isColorSupported).toBe(expected);
  });
});
