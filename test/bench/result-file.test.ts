import { expect, test } from 'vitest';
import type { Results } from '../../bench/report/result-file.ts';
import { resultJson, resultMarkdown } from '../../bench/report/result-file.ts';
import { parseResult, RESULT_SCHEMA_VERSION } from '../../bench/report/result-schema.ts';
import { ENVIRONMENT } from './sample-environment.ts';

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
    scenarios: [
      { name: 'hash', sections: [{ title: 'Digest', figures: [], data: { medianMs: 7 } }] },
    ],
  });
});

test('what was written can be read, and nothing else', () => {
  const text = resultJson(RESULTS);
  expect(parseResult(text, 'a.json').scenarios).toHaveLength(1);
  expect(() => parseResult('{', 'a.json')).toThrow('a.json is not JSON');
  expect(() => parseResult('null', 'a.json')).toThrow('a.json is not a result of this benchmark');
  expect(() => parseResult('{"schemaVersion":1}', 'a.json')).toThrow(
    `a.json has schema version 1, this benchmark writes ${RESULT_SCHEMA_VERSION}`,
  );
  expect(() => parseResult(`{"schemaVersion":${RESULT_SCHEMA_VERSION}}`, 'a.json')).toThrow(
    'a.json has no environment',
  );
});

test('the Markdown stands by itself: when, where, with what, and the tables', () => {
  const text = resultMarkdown(RESULTS);
  expect(text).toContain('# Benchmark of 2026-11-24T06:00:00.000Z, full');
  expect(text).toContain('Model 7, 2 cores; SHA instructions yes; 8 GiB; Linux 6.1; Node v20.20.2');
  expect(text).toContain('commit 0123456789ab with changes; 4 % of the cores busy');
  expect(text).toContain('## hash\n\n### Digest\n\n| way    |  ms |');
});
