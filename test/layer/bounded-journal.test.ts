import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { JOURNAL_WAIT_MS_MAX, openBounded } from '../../src/layer/bounded-journal.ts';
import type { JournalProblem, LayerJournal } from '../../src/layer/layer-journal.ts';

const LAYER = { repository: 'team/app', digest: `sha256:${'ab'.repeat(32)}` } as const;
const UPLOAD = { uploadId: 'one', partSizeBytes: 10, sizeBytes: 100, file: undefined };

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  const left = vi.getTimerCount();
  vi.useRealTimers();
  if (left > 0) throw new Error(`${left} timers are left`);
});

type Step = 'open' | 'begin' | 'discard' | 'close';

/** Journals whose disk hangs at some steps until `answer` is called. */
function journalsAt(...hanging: Step[]) {
  let answer = (): void => undefined;
  const answered = new Promise<void>((resolve) => {
    answer = resolve;
  });
  const calls: Step[] = [];
  const problems: JournalProblem[] = [];
  const step = (name: Step) => (): Promise<void> => {
    calls.push(name);
    return hanging.includes(name) ? answered : Promise.resolve();
  };
  const journal: LayerJournal = {
    found: undefined,
    begin: step('begin'),
    note: () => undefined,
    discard: step('discard'),
    close: step('close'),
  };
  const open = (): Promise<LayerJournal | undefined> =>
    openBounded(
      { open: () => step('open')().then(() => journal) },
      LAYER,
      (problem) => void problems.push(problem),
    );
  return { open, answer: () => answer(), calls, problems };
}

/** What has settled after so long. */
async function settledAfter(delayMs: number, work: Promise<unknown>): Promise<boolean> {
  let isSettled = false;
  void work.then(() => {
    isSettled = true;
  });
  await vi.advanceTimersByTimeAsync(delayMs);
  return isSettled;
}

describe('a journal', () => {
  test('is waited for as long as its disk answers, and no timer is left', async () => {
    const { open, calls, problems } = journalsAt();
    const journal = await open();
    await journal?.begin(UPLOAD);
    await journal?.discard();
    await journal?.close();
    expect(calls).toEqual(['open', 'begin', 'discard', 'close']);
    expect(problems).toEqual([]);
  });

  test('whose disk hangs when it is opened is gone on without, and let go when it comes', async () => {
    const { open, answer, calls, problems } = journalsAt('open');
    const opening = open();
    expect(await settledAfter(JOURNAL_WAIT_MS_MAX - 1, opening)).toBe(false);
    expect(await settledAfter(1, opening)).toBe(true);
    expect(await opening).toBe(undefined);
    expect(problems).toEqual(['unwritable']);
    answer();
    await vi.advanceTimersByTimeAsync(0);
    expect(calls).toEqual(['open', 'close']);
  });

  test.each(['begin', 'discard', 'close'] as const)(
    'whose disk hangs at %s is waited for no longer than may be',
    async (name) => {
      const { open, calls } = journalsAt(name);
      const journal = await open();
      const work = name === 'begin' ? journal?.begin(UPLOAD) : journal?.[name]();
      expect(await settledAfter(JOURNAL_WAIT_MS_MAX - 1, Promise.resolve(work))).toBe(false);
      expect(await settledAfter(1, Promise.resolve(work))).toBe(true);
      // Known to hang: what follows is asked for, and not waited for.
      expect(await settledAfter(0, Promise.resolve(journal?.close()))).toBe(true);
      expect(calls.at(-1)).toBe('close');
    },
  );

  test('whose disk answers again is waited for again', async () => {
    const { open, answer, problems } = journalsAt('begin', 'close');
    const journal = await open();
    await Promise.all([journal?.begin(UPLOAD), vi.advanceTimersByTimeAsync(JOURNAL_WAIT_MS_MAX)]);
    expect(problems).toEqual(['unwritable']);
    expect(await settledAfter(0, Promise.resolve(journal?.close()))).toBe(true);
    answer();
    await vi.advanceTimersByTimeAsync(0);
    await journal?.close();
  });

  test('that is closed while it begins leaves no timer, and is told of as no problem', async () => {
    const { open, calls, problems } = journalsAt('begin');
    const journal = await open();
    const begun = journal?.begin(UPLOAD);
    await journal?.close();
    await begun;
    expect(calls).toEqual(['open', 'begin', 'close']);
    expect(vi.getTimerCount()).toBe(0);
    expect(problems).toEqual([]);
  });
});
