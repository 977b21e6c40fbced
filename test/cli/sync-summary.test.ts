import { describe, expect, test } from 'vitest';
import { failureLines, syncSummary } from '../../src/cli/sync-summary.ts';
import { failedTag, reportOf, reportTag } from './sync-sample.ts';

const TAGS = [
  reportTag('1.25', 'copied'),
  reportTag('1.24', 'skipped'),
  reportTag('1.23', 'skipped', { reason: 'kept' }),
  reportTag('1.0-rc', 'skipped', { reason: 'filtered' }),
  failedTag('1.22'),
  reportTag('1.21', 'not-started'),
];

describe('the summary', () => {
  test('counts tags, bytes and calls of all targets and sources', () => {
    const report = reportOf('partial', TAGS);
    const [target] = report.targets;
    const [source] = report.sources;
    if (target === undefined || source === undefined) throw new Error('a sample without them');
    const spare = {
      ...target,
      target: 'spare',
      uploadedBlobCount: 1,
      uploadedBytes: 2_200_000_000,
      mountsRefusedCount: 2,
      throttledCallCount: 3,
    };
    const quay = {
      ...source,
      registry: 'quay.io',
      duplicateBlobBytes: 1000,
      requestCount: 1,
      pausedMs: 65_000,
    };
    const whole = { ...report, targets: [target, spare], sources: [source, quay] };
    expect(syncSummary(whole)).toEqual([
      '6 tags: 1 copied; 3 skipped (1 unchanged, 1 kept, 1 filtered); 1 failed; 1 not started',
      '3.40 GB sent in 35 blobs; 6.80 GB mounted in 240 blobs, which saved 66%; ' +
        '2 mounts refused and sent instead',
      '32 calls in 4:12, 3 throttled',
      'docker.io: 1.20 GB read in 412 requests',
      'quay.io: 1.20 GB read, 1.00 kB of it twice in 1 request; paused for 65 s',
    ]);
  });

  test('of a sync that had nothing to do is short', () => {
    const report = reportOf('done', [], { targets: [], sources: [], durationMs: 120 });
    expect(syncSummary(report)).toEqual([
      '0 tags: 0 copied',
      'nothing sent',
      '0 calls in 0.1 s, none throttled',
    ]);
  });
});

describe('failures', () => {
  test('are told with code, names and message, and how to try again', () => {
    const error = {
      code: 'E_IMAGE_AMBIGUOUS',
      message: 'there are 2:\n  a\n  b\u001b[2J',
      retryable: false,
    } as const;
    const lost = { target: undefined, repository: undefined, error: undefined };
    const report = reportOf('failed', [
      failedTag('1.22', { error }),
      failedTag('*', { ...lost, detail: 'no such repository' }),
    ]);
    expect(failureLines(report, 'longshore sync m.yaml --only-failed r.json')).toEqual([
      'failed:',
      '  E_IMAGE_AMBIGUOUS docker.io/library/nginx:1.22 -> prod/mirror/nginx',
      '    there are 2:',
      '      a',
      '      b?[2J',
      '  E_UNEXPECTED docker.io/library/nginx',
      '    no such repository',
      'to try only these again: longshore sync m.yaml --only-failed r.json',
    ]);
  });

  test('are listed up to twenty and counted beyond', () => {
    const tags = Array.from({ length: 23 }, (_, index) => failedTag(`1.${index}`));
    const lines = failureLines(reportOf('failed', tags), undefined);
    expect(lines.filter((line) => line.startsWith('  E_'))).toHaveLength(20);
    expect(lines.at(-2)).toBe('  and 3 more');
    expect(lines.at(-1)).toContain('have a --report FILE written');
  });

  test('that are none leave no line, but what was not started leaves the way to do it', () => {
    expect(failureLines(reportOf('done', [reportTag('1', 'copied')]), 'again')).toEqual([]);
    const rest = reportOf('interrupted', [reportTag('1', 'not-started')]);
    expect(failureLines(rest, 'again')).toEqual(['to try only these again: again']);
  });
});
