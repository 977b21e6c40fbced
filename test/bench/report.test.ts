import { describe, expect, test } from 'vitest';
import { busyMs, selfTimes } from '../../bench/report/cpu-profile.ts';
import { layerTable } from '../../bench/report/layer-table.ts';

import {
  formatDuration,
  formatNumber,
  formatRatio,
  formatShare,
  formatSpread,
} from '../../bench/report/quantity.ts';
import { formatTable } from '../../bench/report/table.ts';
import { spreadOf } from '../../bench/statistics.ts';
import { runOf } from './sample-run.ts';

describe('quantities', () => {
  test.each([
    [0, '0'],
    [0.012_345, '0.012'],
    [1.2345, '1.23'],
    [45.67, '45.7'],
    [1234.5, '1235'],
    [Number.NaN, '-'],
  ])('%d is written as %s', (value, text) => {
    expect(formatNumber(value)).toBe(text);
  });

  test('durations choose their unit', () => {
    expect([12.5, 0.0125, 0.000_85].map(formatDuration)).toEqual(['12.5 ms', '12.5 us', '850 ns']);
  });

  test('a spread of one value is that value', () => {
    expect(formatSpread(spreadOf([5]))).toBe('5.00');
    expect(formatSpread(spreadOf([5, 7, 6]))).toBe('6.00 (5.00-7.00)');
  });

  test('what cannot be divided is a dash', () => {
    expect([formatRatio(2.5), formatRatio(Number.NaN)]).toEqual(['2.50x', '-']);
    expect([formatShare(0.876), formatShare(Number.POSITIVE_INFINITY)]).toEqual(['88 %', '-']);
  });
});

test('a table aligns its columns and keeps pipes inside cells', () => {
  const text = formatTable({
    title: 'Speed',
    columns: ['way', 'MB/s'],
    rows: [
      ['a|b', '10'],
      ['longer name', '1000'],
    ],
    notes: ['measured'],
  });
  expect(text.split('\n')).toEqual([
    '### Speed',
    '',
    '| way         | MB/s |',
    '| ----------- | ---: |',
    String.raw`| a\|b        |   10 |`,
    '| longer name | 1000 |',
    '',
    '- measured',
    '',
  ]);
});

test('the layer table compares CPU and speed with the first and the last contestant', () => {
  const size = 100e6;
  const task = {
    layers: [{ path: 'layer', sizeBytes: size, digest: 'sha256:0' }],
    partSizeBytes: 20e6,
    layersInFlight: 1,
  };
  const table = layerTable(
    'label',
    task,
    [
      { name: 'plain SDK', runs: [runOf(1000, 900), runOf(1000, 1100)] },
      { name: 'longshore', runs: [runOf(500, 500)] },
      { name: 'bare writer', runs: [runOf(250, 100)] },
    ],
    { ...runOf(300, 300), extra: { readMs: 50, layerHashMs: 100 } },
  );
  const cell = (row: number, column: string): string | undefined =>
    table.rows[row]?.[table.columns.indexOf(column)];
  expect(cell(0, 'layer MB per CPU-s')).toBe('101 (90.9-111)');
  expect(cell(1, 'vs SDK')).toBe('2.00x');
  // 150 ms of stages and 100 ms of writing, of 500 ms.
  expect(cell(1, 'of floor')).toBe('50 %');
  expect(cell(1, 'of writer')).toBe('50 %');
  expect(cell(2, 'of floor')).toBe('-');
  expect(table.notes.join('\n')).toContain('read 10.0 ms + layer hash 20.0 ms');
  expect(table.notes.join('\n')).not.toMatch(/left something open|PROVISIONAL/);
});

test('a CPU profile is summed by function, its waiting apart', () => {
  const frame = (functionName: string, url: string) => ({ functionName, url, lineNumber: 9 });
  const times = selfTimes({
    nodes: [
      { id: 1, callFrame: frame('update', 'node:internal/crypto/hash') },
      { id: 2, callFrame: frame('(idle)', '') },
      { id: 3, callFrame: frame('', 'file:///somewhere/deep/in/pool/fold.js') },
    ],
    samples: [1, 2, 1, 3],
    timeDeltas: [1000, 5000, 2000, 500],
  });
  expect(times).toEqual([
    { place: '(idle)', selfMs: 5 },
    { place: 'update crypto/hash:10', selfMs: 3 },
    { place: '(anonymous) pool/fold.js:10', selfMs: 0.5 },
  ]);
  expect(busyMs(times)).toBe(3.5);
});
