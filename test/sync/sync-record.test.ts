import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LongshoreError } from '../../src/errors.ts';
import type { DeliveryOutcome } from '../../src/sync/image-copy.ts';
import { SyncRecord } from '../../src/sync/sync-record.ts';
import type { SyncReport } from '../../src/sync/sync-report.ts';
import { digestOf, plannedTag } from './planned-tag.ts';

const copied = {
  status: 'copied',
  digest: digestOf(2),
  uploadedBytes: 100,
  mountedBytes: 50,
  callCount: 7,
  durationMs: 12,
} as const satisfies DeliveryOutcome;
const failed: DeliveryOutcome = {
  status: 'failed',
  durationMs: 3,
  error: new LongshoreError('E_TIMEOUT', 'too slow', { operation: 'PutImage', waitedMs: 1 }),
};

function reportOf(record: SyncRecord, isInterrupted = false): SyncReport {
  return record.report(1_700_000_000_000, 42, isInterrupted, [], []);
}

describe('the report of a sync', () => {
  test('has what was decided beforehand', () => {
    const record = new SyncRecord();
    const kept = plannedTag('kept', {
      action: 'skip',
      reason: 'kept',
      previousDigest: digestOf(5),
    });
    const lost = plannedTag('lost', {
      action: 'fail',
      reason: 'unreadable',
      detail: 'no entry',
      code: 'E_SOURCE_DENIED',
    });
    expect(record.planned(kept)).toMatchObject({ tag: 'kept', status: 'skipped' });
    expect(record.planned(lost)).toMatchObject({ tag: 'lost', status: 'failed' });
    expect(record.planned(plannedTag('new'))).toBeUndefined();
    const report = reportOf(record);
    expect(report).toMatchObject({
      version: 1,
      startedAt: '2023-11-14T22:13:20.000Z',
      durationMs: 42,
      outcome: 'partial',
      counts: { copied: 0, skipped: 1, failed: 1, 'not-started': 1 },
    });
    expect(report.tags).toMatchObject([
      { tag: 'kept', reason: 'kept', digest: digestOf(5), error: undefined, callCount: 0 },
      { tag: 'lost', error: { code: 'E_SOURCE_DENIED', message: 'no entry', retryable: false } },
      { tag: 'new', status: 'not-started', durationMs: 0 },
    ]);
    expect(Object.keys(report.tags[2] ?? {})).not.toContain('action');
  });

  test('gives the numbers of an image to its first tag', () => {
    const record = new SyncRecord();
    const tags = ['a', 'b'].map((tag) => plannedTag(tag));
    for (const tag of tags) record.planned(tag);
    record.delivered(tags, tags, copied);
    expect(reportOf(record).tags).toMatchObject([
      { tag: 'a', status: 'copied', uploadedBytes: 100, mountedBytes: 50, callCount: 7 },
      { tag: 'b', status: 'copied', uploadedBytes: 0, mountedBytes: 0, callCount: 0 },
    ]);
  });

  test('says skipped where it turned out that nothing was to be done', () => {
    const record = new SyncRecord();
    const tag = plannedTag('a', { reason: 'moved' });
    record.planned(tag);
    record.delivered([tag], [tag], { ...copied, status: 'unchanged' });
    expect(reportOf(record).tags).toMatchObject([{ status: 'skipped', reason: 'unchanged' }]);
  });

  test('keeps what the target had where a copy failed, with code, message and whether to try again', () => {
    const record = new SyncRecord();
    const tag = plannedTag('a', { reason: 'moved', previousDigest: digestOf(9) });
    record.planned(tag);
    record.delivered([tag], [tag], failed);
    expect(reportOf(record)).toMatchObject({
      outcome: 'failed',
      tags: [
        {
          status: 'failed',
          digest: digestOf(9),
          durationMs: 3,
          error: { code: 'E_TIMEOUT', message: 'too slow', retryable: expect.any(Boolean) },
        },
      ],
    });
  });

  test('has a tag that was looked at again under its new digest, in its old place', () => {
    const record = new SyncRecord();
    const tags = ['a', 'b'].map((tag) => plannedTag(tag));
    for (const tag of tags) record.planned(tag);
    const [a, b] = tags;
    if (a === undefined || b === undefined) throw new Error('there are two');
    record.delivered([b], [b], copied);
    record.delivered([a], [{ ...a, sourceDigest: digestOf(8) }], copied);
    expect(reportOf(record).tags).toMatchObject([
      { tag: 'a', sourceDigest: digestOf(8) },
      { tag: 'b', sourceDigest: digestOf(1) },
    ]);
  });

  test.each([
    ['done', []],
    ['done', ['skip']],
    ['done', ['filtered', 'copied']],
    ['failed', ['failed']],
    ['failed', ['failed', 'filtered', 'open']],
    ['partial', ['failed', 'skip']],
    ['partial', ['open', 'copied']],
  ] as const)('is %s with %j', (outcome, kinds) => {
    const record = new SyncRecord();
    for (const kind of kinds) {
      const isSkip = kind === 'skip' || kind === 'filtered';
      const reason = kind === 'filtered' ? 'filtered' : 'unchanged';
      const tag = plannedTag(kind, isSkip ? { action: 'skip', reason } : {});
      record.planned(tag);
      if (kind === 'copied') record.delivered([tag], [tag], copied);
      if (kind === 'failed') record.delivered([tag], [tag], failed);
    }
    expect(reportOf(record).outcome).toBe(outcome);
    expect(reportOf(record, true).outcome).toBe('interrupted');
  });

  test('has every tag once, whatever became of it, and so have the events', () => {
    const fates = fc.constantFrom(
      'skip',
      'fail',
      'copied',
      'unchanged',
      'failed',
      'stopped',
      'moved',
      'waiting',
    );
    const deliveries = fc.array(
      fc.record({
        fate: fates,
        tagCount: fc.integer({ min: 1, max: 4 }),
        rank: fc.nat(),
      }),
      { maxLength: 30 },
    );
    fc.assert(
      fc.property(deliveries, fc.boolean(), (all, isInterrupted) => {
        const record = new SyncRecord();
        const told: string[] = [];
        const planned = all.map(({ fate, tagCount, rank }, index) => ({
          fate,
          rank,
          tags: Array.from({ length: tagCount }, (_, tag) =>
            plannedTag(`${index}-${tag}`, {
              action: fate === 'skip' || fate === 'fail' ? fate : 'copy',
            }),
          ),
        }));
        for (const { tags } of planned) {
          for (const tag of tags) {
            const ended = record.planned(tag);
            if (ended !== undefined) told.push(ended.tag);
          }
        }
        expect(record.tagCount).toBe(planned.flatMap(({ tags }) => tags).length);
        const expected = { copied: 0, skipped: 0, failed: 0, 'not-started': 0 };
        for (const { fate, tags } of planned.toSorted((a, b) => a.rank - b.rank)) {
          const outcome = outcomeOf(fate);
          const last = fate === 'moved' ? tags.map((tag) => ({ ...tag })) : tags;
          if (outcome !== undefined) {
            told.push(...record.delivered(tags, last, outcome).map(({ tag }) => tag));
          }
          expected[statusOf(fate)] += tags.length;
        }
        const report = reportOf(record, isInterrupted);
        const names = planned.flatMap(({ tags }) => tags.map(({ tag }) => tag));
        expect(report.tags.map(({ tag }) => tag)).toEqual(names);
        expect(report.counts).toEqual(expected);
        expect(record.openTagCount).toBe(expected['not-started']);
        const ended = report.tags.filter(({ status }) => status !== 'not-started');
        expect(new Set(told)).toEqual(new Set(ended.map(({ tag }) => tag)));
        expect(told).toHaveLength(ended.length);
      }),
    );
  });
});

type Fate = 'skip' | 'fail' | 'copied' | 'unchanged' | 'failed' | 'stopped' | 'moved' | 'waiting';

function outcomeOf(fate: Fate): DeliveryOutcome | undefined {
  switch (fate) {
    case 'copied':
    case 'moved':
      return copied;
    case 'unchanged':
      return { ...copied, status: 'unchanged' };
    case 'failed':
      return failed;
    case 'stopped':
      return { status: 'stopped' };
    default:
      return undefined;
  }
}

function statusOf(fate: Fate): keyof SyncReport['counts'] {
  switch (fate) {
    case 'copied':
    case 'moved':
      return 'copied';
    case 'skip':
    case 'unchanged':
      return 'skipped';
    case 'fail':
    case 'failed':
      return 'failed';
    default:
      return 'not-started';
  }
}
