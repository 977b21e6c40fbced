import { describe, expect, test } from 'vitest';
import { activityOf } from '../../bench/harness/wire-activity.ts';
import { hashSection } from '../../bench/report/hash-table.ts';
import { budgetSection } from '../../bench/report/budget-table.ts';
import { layerCharts, layerFigures } from '../../bench/report/layer-chart.ts';
import { layerTable } from '../../bench/report/layer-table.ts';
import { linkChart, sweepChart } from '../../bench/report/link-chart.ts';
import { linkGridSection } from '../../bench/report/link-grid.ts';
import { linkTable } from '../../bench/report/link-table.ts';
import { manySection } from '../../bench/report/many-table.ts';
import { pushSection } from '../../bench/report/push-table.ts';
import { sweepTable } from '../../bench/report/sweep-table.ts';
import type { Table } from '../../bench/report/table.ts';
import type { Section } from '../../bench/scenario.ts';
import { SCENARIOS } from '../../bench/scenario-list.ts';
import { runOf } from './sample-run.ts';

const MIB = 2 ** 20;
const LINK = { roundTripMs: 20, bytesPerSecondPerConnection: 40e6, partServiceTimeMs: 80 };
const LAYER = { path: 'layer', sizeBytes: 100e6, digest: 'sha256:0' };

describe('layers over a link', () => {
  const contestants = [
    { name: 'plain SDK', runs: [runOf(4000, 100)] },
    { name: 'longshore, window 2', runs: [runOf(2000, 100)] },
    {
      name: 'longshore, defaults',
      runs: [3, 5].map((windowAtEnd) => ({
        ...runOf(1250, 100),
        extra: { resentBytes: 0, windowAtEnd, windowMost: 6 },
      })),
    },
  ];

  test('the table compares with the first and with the bound', () => {
    const table = linkTable(LINK, 10e6, 100e6, contestants);
    // 10 MB a part every 100 ms.
    expect(cell(table, 2, 'MB/s')).toBe('80.0');
    expect(cell(table, 2, 'of bound')).toBe('80 %');
    expect(cell(table, 2, 'vs first')).toBe('3.20x');
    expect(table.title).toContain('20 ms round trip');
    expect(cell(table, 0, 'window end/most')).toBe('-');
    expect(cell(table, 2, 'window end/most')).toBe('4 / 6');
  });

  test('the sweep names the smallest window that suffices', () => {
    const sweep = {
      partSizeBytes: 10e6,
      windows: [1, 2, 4],
      contestants: [4000, 4000, 1280, 1250, 1250].map((wallMs, index) => ({
        name: `contestant ${index}`,
        runs: [{ ...runOf(wallMs, 100), extra: { resentBytes: 0 } }],
      })),
    };
    const table = sweepTable(LINK, 10, [sweep]);
    expect(cell(table, 0, 'enough')).toBe('2');
    // 333 ms on the wire, 100 ms served.
    expect(cell(table, 0, 'by formula')).toBe('5');
    expect(cell(table, 0, 'window end/most')).toBe('start');
    expect(cell(table, 0, 'at most 1')).toBe('35 %');
  });

  test('the grid counts shares of what link and machine allow together', () => {
    const slow = { ...LINK, partServiceTimeMs: 980 };
    const { table, charts } = linkGridSection(
      LAYER,
      10e6,
      [
        { link: LINK, byDefault: [runOf(4000, 100)], byFormula: [runOf(2000, 100)] },
        { link: slow, byDefault: [runOf(21_000, 100)], byFormula: [runOf(10_400, 100)] },
      ],
      [runOf(2000, 100)],
    );
    expect(cell(table, 0, 'bound MB/s')).toBe('50.0 (machine)');
    expect(cell(table, 0, 'of bound')).toBe('50 %');
    // Ten parts of a second, a third of a second for the first and three round trips.
    expect(cell(table, 1, 'bound MB/s')).toBe('9.62');
    expect(cell(table, 1, 'by formula')).toBe('2');
    expect(charts?.[0]).toMatchObject({
      bars: [{ spread: { median: 50 } }, {}, { role: 'bound', spread: { median: 100 } }],
    });
  });

  test('the charts have the bound beside the contestants', () => {
    const { bars } = linkChart(LINK, 10e6, 100e6, contestants);
    expect(bars.map(({ role }) => role)).toEqual(['rival', 'longshore', 'longshore', 'bound']);
    const { series } = sweepChart(LINK, 10, [{ partSizeBytes: 10e6, windows: [2], contestants }]);
    expect(series[0]?.points).toMatchObject([{ x: 2, spread: { median: 50 } }]);
    expect(series[1]?.points[0]?.spread.median).toBe(bars[3]?.spread.median);
  });
});

test('a push is shown as a whole process and beside its bound', () => {
  const image = { folder: 'image', layers: [LAYER], digest: 'sha256:1' };
  const section = pushSection(
    { title: 'One', link: LINK, image, partSizeBytes: 10 * MIB },
    [
      { name: 'longshore, default', runs: [runOf(2000, 500)] },
      { name: 'skopeo, default', runs: [{ ...runOf(4300, 50), rssPeakBytes: Number.NaN }] },
    ],
    ['crane is missing: brew install crane'],
  );
  expect(cell(section.table, 0, 'whole process s')).toBe('2.30');
  expect(cell(section.table, 1, 'vs longshore')).toBe('2.00x');
  // Ten parts of 100 ms and the arrival of the first.
  expect(cell(section.table, 0, 'bound / push')).toBe('67 %');
  expect(cell(section.table, 1, 'bound / push')).toBe('-');
  expect(cell(section.table, 1, 'peak RSS')).toBe('-');
  expect(section.table.notes).toContain('crane is missing: brew install crane');
  expect(section.figures?.map(({ name }) => name)).toEqual([
    'longshore, default: whole process',
    'longshore, default: CPU',
    'longshore, default: peak RSS',
    'skopeo, default: whole process',
    'skopeo, default: CPU',
  ]);
  expectUniqueFigures(section);
});

test('many layers are counted in calls, gaps and CPU time of each', () => {
  const activity = {
    ...activityOf([]),
    callCount: 700,
    throttledCount: 100,
    spanMs: 2000,
    idleMs: 500,
    longestIdleMs: 40,
  };
  const layers = Array.from({ length: 200 }, () => ({ ...LAYER, sizeBytes: 256 * 1024 }));
  const section = manySection('with quotas', layers, [
    { name: 'longshore', runs: [{ ...runOf(2000, 400), activity }] },
  ]);
  expect(section.table.title).toBe('200 layers of 256 KiB, with quotas');
  expect(cell(section.table, 0, 'calls/s')).toBe('300');
  expect(cell(section.table, 0, 'idle')).toBe('25 %');
  expect(cell(section.table, 0, 'CPU ms a layer')).toBe('2.00');
  // A second's worth at once, and a second for the other hundred.
  expect(cell(section.table, 0, 'quota bound / wall')).toBe('50 %');
  expectUniqueFigures(section);
});

test('memory is compared with its budget, and drawn where there are several', () => {
  const background = {
    started: [{ ...runOf(50, 40), rssPeakBytes: 60e6 }],
    readCost: { sparseMs: 100, randomMs: 120 },
  };
  const runs = [runOf(1000, 100)];
  const swept = budgetSection(
    [LAYER],
    [50e6, 100e6],
    ['defaults', 'small', 'large'].map((name) => ({ name: `longshore, ${name}`, runs })),
    background,
  );
  expect(swept.table.rows.map((_, row) => cell(swept.table, row, 'beyond start / budget'))).toEqual(
    ['-', '80 %', '40 %'],
  );
  expect(swept.charts).toHaveLength(2);
  const single = budgetSection(
    [LAYER],
    [50e6],
    [{ name: 'longshore, defaults', runs }],
    background,
  );
  expect(single.charts).toEqual([]);
});

test('the charts of layers leave the bare writer to the floor', () => {
  const contestants = [
    { name: 'plain SDK', runs: [runOf(1000, 1000)] },
    { name: 'floor: bare writer', runs: [runOf(250, 100)] },
  ];
  const stages = { ...runOf(300, 300), extra: { readMs: 50, layerHashMs: 100 } };
  const [economy, speed] = layerCharts('label', contestants, stages);
  expect(economy).toMatchObject({
    bars: [
      { name: 'plain SDK', spread: { median: 100 } },
      { name: 'floor: stages and writer', spread: { median: 400 } },
    ],
  });
  expect(speed).toMatchObject({ bars: [{ role: 'rival' }, { role: 'bound' }] });
  expectUniqueFigures({ figures: layerFigures(contestants) });
});

test('the start of a contestant is told apart from what it does', () => {
  const contestants = [
    { name: 'plain SDK', runs: [runOf(1000, 1040)] },
    { name: 'longshore', runs: [runOf(500, 600)] },
    { name: 'floor: bare writer', runs: [runOf(250, 100)] },
  ];
  const starts = [
    { name: 'plain SDK', runs: [runOf(50, 40)] },
    { name: 'longshore', runs: [runOf(50, 100)] },
  ];
  const task = { layers: [LAYER], partSizeBytes: 10e6, layersInFlight: 1 };
  const { notes } = layerTable('label', task, contestants, runOf(300, 300), starts);
  expect(notes).toContain(
    'start: plain SDK 40.0 ms CPU, 4 % of its whole; longshore 100 ms CPU, 17 % of its whole (as many layers of 64 KiB); vs SDK without it: longshore 2.00x',
  );
  const without = layerTable('label', task, contestants, runOf(300, 300));
  expect(without.notes.join(' ')).not.toContain('start:');
});

test('hashing is compared by threads, and what `auto` picks is counted', () => {
  const contestant = (
    name: string,
    hasher: 'native' | 'wasm',
    threadCount: number,
    megabytes: number,
    hops = false,
  ) => ({
    name,
    job: { hasher, threadCount, hops, durationMs: 500 },
    runs: [
      {
        autoPicks: 'native' as const,
        hashedBytes: megabytes * 1e6,
        wallMs: 1000,
        cpuMs: threadCount * 1000,
        cpuLifetimeMs: 2000,
        foreignShare: 0,
      },
    ],
  });
  const section = hashSection([
    contestant('native 1', 'native', 1, 1000),
    contestant('wasm 1', 'wasm', 1, 200),
    contestant('native 2', 'native', 2, 1900),
    contestant('wasm 2', 'wasm', 2, 380),
    contestant('hops', 'wasm', 2, 150, true),
  ]);
  expect(cell(section.table, 2, 'vs first')).toBe('1.90x');
  expect(cell(section.table, 3, 'MB per CPU-s')).toBe('190');
  const [auto, second, hopping] = section.table.notes;
  expect(auto).toContain('picked native in 5 of 5 processes and WASM in 0; faster is native');
  expect(auto).toContain('5.00x as fast as hash-wasm in one thread, 5.00x in two');
  expect(second).toContain('1.90x (native) and 1.90x (WASM)');
  expect(hopping).toContain('75 % of one thread');
  expectUniqueFigures(section);
});

test('scenarios have names of their own, and those that are asked for', () => {
  const names = SCENARIOS.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  const asked = ['hash', 'encode', 'layer', 'image', 'wan', 'many', 'memory', 'startup', 'smoke'];
  expect(names).toEqual(expect.arrayContaining(asked));
});

function expectUniqueFigures({ figures = [] }: Pick<Section, 'figures'>): void {
  const names = figures.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
}

function cell({ columns, rows }: Table, row: number, column: string): string | undefined {
  return rows[row]?.[columns.indexOf(column)];
}
