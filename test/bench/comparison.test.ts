import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import {
  assertSameMachine,
  compareResults,
  comparisonTable,
  movementOf,
} from '../../bench/report/comparison.ts';
import { cost, gain } from '../../bench/report/figure.ts';
import type { Figure } from '../../bench/report/figure.ts';
import type { ResultDocument } from '../../bench/report/result-schema.ts';
import { RESULT_SCHEMA_VERSION } from '../../bench/report/result-schema.ts';
import { REPOSITORY } from '../tidy/source-tree.ts';
import { ENVIRONMENT } from './sample-environment.ts';

describe('what moved', () => {
  const steady = [99, 100, 101];
  test.each([
    {
      name: 'more speed is better',
      before: gain('x', '', steady),
      after: gain('x', '', [110, 111]),
      movement: 'better',
    },
    {
      name: 'less speed is worse',
      before: gain('x', '', steady),
      after: gain('x', '', [90]),
      movement: 'worse',
    },
    {
      name: 'more time is worse',
      before: cost('x', '', steady),
      after: cost('x', '', [110]),
      movement: 'worse',
    },
    {
      name: 'less time is better',
      before: cost('x', '', steady),
      after: cost('x', '', [90]),
      movement: 'better',
    },
    {
      name: 'under 3 % is nothing',
      before: gain('x', '', [100]),
      after: gain('x', '', [102.9]),
      movement: 'same',
    },
    {
      name: 'within noise is nothing',
      before: gain('x', '', [80, 100, 120]),
      after: gain('x', '', [95, 130, 160]),
      movement: 'same',
    },
  ] as const)('$name', ({ before, after, movement }) => {
    expect(movementOf(before, after)).toBe(movement);
  });

  test('figures are found by scenario, section and name; those of one result are left out', () => {
    const before = resultOf([gain('speed', 'MB/s', [100]), gain('gone', 'MB/s', [1])]);
    const after = resultOf([cost('new', 'ms', [1]), gain('speed', 'MB/s', [150])]);
    const comparisons = compareResults(before, after);
    expect(comparisons).toMatchObject([
      { scenario: 'layer', section: 'Title', changeShare: 0.5, movement: 'better' },
    ]);
    const table = comparisonTable(before, after, comparisons);
    expect(table.rows).toEqual([
      ['layer, Title: speed', 'MB/s', '100', '150', '+50.0 %', '0', '▲ better'],
    ]);
    expect(table.notes[0]).toBe('1 better, 0 worse, 0 within noise');
  });

  test('what moved stands above what did not', () => {
    const before = resultOf([gain('still', '', [100]), cost('slower', '', [100])]);
    const after = resultOf([gain('still', '', [101]), cost('slower', '', [120])]);
    const { rows } = comparisonTable(before, after, compareResults(before, after));
    expect(rows.map((row) => row.at(-1))).toEqual(['▲ worse', '=']);
  });

  test('nothing in common is said', () => {
    const { notes } = comparisonTable(resultOf([]), resultOf([]), []);
    expect(notes[0]).toContain('no figure in common');
  });
});

test('other machines are refused by what differs, other software is not', () => {
  const other = { ...ENVIRONMENT, cpuModel: 'Model 8', coreCount: 4 };
  expect(() => assertSameMachine(ENVIRONMENT, other)).toThrow(
    'results of different machines are not compared (CPU: Model 7 there, Model 8 here; cores: 2 there, 4 here)',
  );
  const newer = { ...ENVIRONMENT, node: 'v22.0.0', memoryBytes: ENVIRONMENT.memoryBytes - 4096 };
  expect(() => assertSameMachine(ENVIRONMENT, newer)).not.toThrow();
  const after = { ...resultOf([]), environment: newer };
  expect(comparisonTable(resultOf([]), after, []).notes).toContain(
    'Node: v20.20.2 before, v22.0.0 now',
  );
});

describe('the command line', () => {
  const folder = mkdtempSync(join(tmpdir(), 'longshore-test-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const write = (name: string, value: unknown): string => {
    const path = join(folder, name);
    writeFileSync(path, JSON.stringify(value));
    return path;
  };
  const compare = (before: string, after: string) =>
    spawnSync(
      process.execPath,
      ['--import', 'tsx', 'bench/main.ts', '--compare', before, '--result', after],
      { cwd: REPOSITORY, encoding: 'utf8' },
    );

  test('two results are compared without measuring', () => {
    const before = write('before.json', resultOf([gain('speed', 'MB/s', [100])]));
    const after = write('after.json', resultOf([gain('speed', 'MB/s', [50])]));
    const { status, stdout } = compare(before, after);
    expect(stdout).toContain('▼ worse');
    expect(status).toBe(0);
  });

  test('another machine and another schema are refused with a sentence', () => {
    const result = resultOf([]);
    const after = write('after.json', result);
    const machine = write('machine.json', {
      ...result,
      environment: { ...ENVIRONMENT, coreCount: 64 },
    });
    expect(compare(machine, after)).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('different machines') as string,
    });
    const old = write('old.json', { ...result, schemaVersion: 1 });
    expect(compare(old, after)).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('has schema version 1') as string,
    });
  });
});

function resultOf(figures: readonly Figure[]): ResultDocument {
  return {
    schemaVersion: RESULT_SCHEMA_VERSION,
    startedAt: '2026-11-24T06:00:00.000Z',
    full: false,
    environment: ENVIRONMENT,
    scenarios: [{ name: 'layer', sections: [{ title: 'Title', figures, data: {} }] }],
  };
}
