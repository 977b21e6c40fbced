import { expect, test } from 'vitest';
import type { Environment } from '../../bench/environment.ts';
import type { Results } from '../../bench/report/result-file.ts';
import {
  RESULT_SCHEMA_VERSION,
  resultJson,
  resultMarkdown,
} from '../../bench/report/result-file.ts';

const ENVIRONMENT: Environment = {
  cpuModel: 'Model 7',
  coreCount: 2,
  shaInstructions: true,
  memoryBytes: 8 * 2 ** 30,
  kernel: 'Linux 6.1',
  node: 'v20.20.2',
  openssl: '3.0.19',
  packages: { piscina: '5.3.2' },
  commit: '0123456789ab',
  dirty: true,
  busyShareBefore: 0.04,
  loadAverage: [0.1, 0.1, 0.1],
};

const RESULTS: Results = {
  startedAt: new Date('2026-11-24T06:00:00Z'),
  environment: ENVIRONMENT,
  full: true,
  scenarios: [
    {
      name: 'hash',
      sections: [
        {
          table: { title: 'Digest', columns: ['way', 'ms'], rows: [['native', '7']], notes: [] },
          data: { medianMs: 7 },
        },
      ],
    },
  ],
};

test('the JSON has the schema version, the fingerprint and the raw figures', () => {
  expect(JSON.parse(resultJson(RESULTS))).toEqual({
    schemaVersion: RESULT_SCHEMA_VERSION,
    startedAt: '2026-11-24T06:00:00.000Z',
    full: true,
    environment: ENVIRONMENT,
    scenarios: [{ name: 'hash', sections: [{ title: 'Digest', data: { medianMs: 7 } }] }],
  });
});

test('the Markdown stands by itself: when, where, with what, and the tables', () => {
  const text = resultMarkdown(RESULTS);
  expect(text).toContain('# Benchmark of 2026-11-24T06:00:00.000Z, full');
  expect(text).toContain('Model 7, 2 cores; SHA instructions yes; 8 GiB; Linux 6.1; Node v20.20.2');
  expect(text).toContain('commit 0123456789ab with changes; 4 % of the cores busy');
  expect(text).toContain('## hash\n\n### Digest\n\n| way    |  ms |');
});
