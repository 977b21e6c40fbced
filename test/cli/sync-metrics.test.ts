import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createSyncMetrics, type SyncMetrics } from '../../src/cli/sync-metrics.ts';
import { RunCount } from '../../src/cli/sync-run-count.ts';
import type { SyncReport } from '../../src/cli/sync-functions.ts';
import { readModules } from '../tidy/source-tree.ts';
import { completed, failedTag, PAUSE, progressOf, reportOf, reportTag } from './sync-sample.ts';

const COPIED = reportTag('1.25', 'copied');
const FAILED = failedTag('1.24');
const PARTIAL = reportOf('partial', [COPIED, FAILED, reportTag('1.23', 'not-started')]);

/** Values by name and labels, zeros left out. */
async function valuesOf(metrics: SyncMetrics): Promise<Record<string, number>> {
  const { body } = await metrics.page();
  const samples = body
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => /^longshore_sync_(\S+) (\S+)$/.exec(line))
    .map((match): [string, number] => [match?.[1] ?? 'unreadable', Number(match?.[2])]);
  return Object.fromEntries(samples.filter(([, value]) => value !== 0));
}

async function runOf(metrics: SyncMetrics, report: SyncReport): Promise<Record<string, number>> {
  metrics.runStarted();
  metrics.runEnded({ report });
  return valuesOf(metrics);
}

describe('the metrics', () => {
  test('grow while a run is under way', async () => {
    const metrics = await createSyncMetrics();
    metrics.runStarted();
    metrics.record(progressOf({ uploadedBytes: 1000, mountedBytes: 10, throttledCallCount: 1 }));
    metrics.record(progressOf({ uploadedBytes: 3000, mountedBytes: 10, throttledCallCount: 2 }));
    metrics.record(completed(COPIED));
    metrics.record(completed(COPIED));
    metrics.record(completed(FAILED));
    metrics.record(PAUSE);
    expect(await valuesOf(metrics)).toEqual({
      'tags_total{status="copied"}': 2,
      'tags_total{status="failed"}': 1,
      uploaded_bytes_total: 3000,
      mounted_bytes_total: 10,
      throttled_calls_total: 2,
      'source_pauses_total{registry="docker.io"}': 1,
      images_in_flight: 4,
      images_waiting: 888,
      running: 1,
    });
  });

  test('are what the report says in the end, counted once', async () => {
    const metrics = await createSyncMetrics();
    metrics.runStarted();
    metrics.record(progressOf({ uploadedBytes: 1000 }));
    metrics.record(completed(COPIED));
    metrics.record(completed(FAILED));
    metrics.runEnded({ report: PARTIAL });
    const { last_run_timestamp_seconds: timestamp, ...values } = await valuesOf(metrics);
    expect(timestamp).toBeGreaterThan(1_700_000_000);
    expect(values).toEqual({
      'runs_total{outcome="partial"}': 1,
      'tags_total{status="copied"}': 1,
      'tags_total{status="failed"}': 1,
      'tags_total{status="not-started"}': 1,
      uploaded_bytes_total: 1_200_000_000,
      mounted_bytes_total: 3_400_000_000,
      'read_bytes_total{registry="docker.io"}': 1_200_000_000,
      'source_requests_total{registry="docker.io"}': 412,
      'calls_total{target="prod",operation="BatchGetImage"}': 12,
      'calls_total{target="prod",operation="PutImage"}': 4,
      last_run_duration_seconds: 252,
    });
  });

  test('add the runs up', async () => {
    const metrics = await createSyncMetrics();
    await runOf(metrics, PARTIAL);
    const values = await runOf(metrics, reportOf('done', [COPIED]));
    expect(values).toMatchObject({
      'runs_total{outcome="partial"}': 1,
      'runs_total{outcome="done"}': 1,
      'tags_total{status="copied"}': 2,
      uploaded_bytes_total: 2_400_000_000,
      'calls_total{target="prod",operation="PutImage"}': 8,
      last_run_success: 1,
    });
  });

  test('count a run without a report as failed', async () => {
    const metrics = await createSyncMetrics();
    await runOf(metrics, reportOf('done', [COPIED]));
    metrics.runStarted();
    metrics.runEnded({ error: new Error('no credentials') });
    const values = await valuesOf(metrics);
    expect(values['runs_total{outcome="failed"}']).toBe(1);
    expect(values['last_run_success']).toBeUndefined();
  });

  test('exist from the beginning, so that a rate of them can be taken', async () => {
    const { body, contentType } = await (await createSyncMetrics()).page();
    expect(contentType).toContain('text/plain; version=0.0.4');
    expect(body).toContain('longshore_sync_runs_total{outcome="failed"} 0');
    expect(body).toContain('longshore_sync_tags_total{status="not-started"} 0');
    // But no last run before there was one, and so no alarm.
    expect(body).not.toContain('last_run');
  });

  test('load their package only when they are asked for', () => {
    const imports = readModules('src').flatMap((module) => module.imports);
    const kinds = imports.filter(({ target }) => target === 'prom-client').map(({ kind }) => kind);
    expect(new Set(kinds)).toEqual(new Set(['type', 'dynamic']));
  });

  test('of two watches have nothing to do with each other', async () => {
    const one = await createSyncMetrics();
    await runOf(one, PARTIAL);
    expect(await valuesOf(await createSyncMetrics())).toEqual({});
  });
});

test('a number that grows within runs is, over all of them, the sum of what each has come to', () => {
  const totals = fc.array(fc.nat({ max: 1000 }));
  fc.assert(
    fc.property(fc.array(totals), (runs) => {
      let sum = 0;
      const count = new RunCount((more) => {
        expect(more).toBeGreaterThan(0);
        sum += more;
      });
      for (const run of runs) {
        count.begin();
        for (const total of run) count.reach(total);
      }
      expect(sum).toBe(runs.reduce((all, run) => all + Math.max(0, ...run), 0));
    }),
  );
});
