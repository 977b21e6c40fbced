import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { runProgram } from '../../src/cli/program.ts';
import type { SyncReport } from '../../src/cli/sync-functions.ts';
import { LongshoreError } from '../../src/index.ts';
import { temporaryFolder } from '../journal/temporary-folder.ts';
import { failedTag, reportOf, reportTag } from './sync-sample.ts';
import {
  aborted,
  CONFIG,
  type SyncSetup,
  setUpSync,
  type SyncScript,
  telling,
} from './sync-setup.ts';

const DONE = reportOf('done', [reportTag('1.25', 'copied')]);
const PARTIAL = reportOf('partial', [reportTag('1.25', 'copied'), failedTag('1.24')]);
const MINUTE = 60_000;
const NOON = Date.parse('2026-11-24T12:00:00Z');

// Files are read and written for real, so only what tells the time is a fake.
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'], now: NOON });
});
afterEach(() => void vi.useRealTimers());

interface Watching extends SyncSetup {
  readonly ended: Promise<number>;
}

function watch(script: SyncScript, ...more: readonly string[]): Watching {
  const setup = setUpSync(script, {}, { now: () => Date.now() });
  const ended = runProgram(setup.context, ['sync', 'm.yaml', '--watch', '15m', ...more]);
  return { ...setup, ended };
}

/** Lets what is pending run until it waits for the next run. */
async function waiting(count = 1): Promise<void> {
  while (vi.getTimerCount() < count) await new Promise((resolve) => setImmediate(resolve));
}

function reports(...all: readonly SyncReport[]): SyncScript {
  return (options, runNumber) => {
    const report = all[runNumber - 1] ?? all.at(-1) ?? DONE;
    return telling(report)(options, runNumber);
  };
}

describe('--watch', () => {
  test('runs every so often, from begin to begin, and tells of each run', async () => {
    const startedAt: number[] = [];
    const { context, files, ended } = watch((options, runNumber) => {
      startedAt.push(Date.now() - NOON);
      vi.setSystemTime(Date.now() + 2 * MINUTE);
      return telling(DONE)(options, runNumber);
    });
    await waiting();
    await vi.advanceTimersByTimeAsync(13 * MINUTE - 1);
    expect(startedAt).toEqual([0]);
    await vi.advanceTimersByTimeAsync(1);
    await waiting();
    await vi.advanceTimersByTimeAsync(13 * MINUTE);
    await waiting();
    context.send('SIGINT');
    expect(await ended).toBe(0);
    expect(startedAt).toEqual([0, 15 * MINUTE, 30 * MINUTE]);
    // Once more before the first run, to see whether it can be read at all.
    expect(files).toHaveLength(4);
    expect(context.stdout.lines).toHaveLength(3);
    expect(context.stderr.lines.filter((line) => /^(run|next run|1 tag)/.test(line))).toEqual([
      'run 1 at 2026-11-24T12:00:00.000Z',
      '1 tag: 1 copied',
      'next run in 13:00',
      'run 2 at 2026-11-24T12:15:00.000Z',
      '1 tag: 1 copied',
      'next run in 13:00',
      'run 3 at 2026-11-24T12:30:00.000Z',
      '1 tag: 1 copied',
      'next run in 13:00',
    ]);
    expect(vi.getTimerCount()).toBe(0);
    expect(context.signalListeners.size).toBe(0);
  });

  test('begins the next run at once where one took longer', async () => {
    const { context, ended } = watch((options, runNumber) => {
      if (runNumber === 1) vi.setSystemTime(NOON + 20 * MINUTE);
      return telling(DONE)(options, runNumber);
    });
    await waiting();
    await vi.advanceTimersByTimeAsync(0);
    await waiting();
    context.send('SIGTERM');
    expect(await ended).toBe(0);
    expect(context.stderr.text).toContain('next run at once\nrun 2 at 2026-11-24T12:20:00.000Z');
  });

  test('goes on after a run that failed, in part or as a whole', async () => {
    const error = new LongshoreError('E_CREDENTIALS', 'no credentials were found', {
      operation: 'DescribeRegistry',
    });
    const { context, runCount, ended } = watch((options, runNumber) => {
      if (runNumber === 1) throw error;
      return reports(DONE, PARTIAL, DONE)(options, runNumber);
    });
    for (let run = 1; run < 3; run += 1) {
      await waiting();
      await vi.advanceTimersByTimeAsync(15 * MINUTE);
    }
    await waiting();
    context.send('SIGINT');
    expect(await ended).toBe(0);
    expect(runCount()).toBe(3);
    expect(context.stderr.text).toContain('no credentials were found (E_CREDENTIALS)');
    expect(context.stdout.lines.map((line) => line.split(' ')[0])).toEqual(['partial', 'done']);
  });

  test('ends with 2 where the configuration is wrong from the beginning, and only then', async () => {
    const wrong = new LongshoreError('E_OPTION_INVALID', 'targets: expected one at least', {
      option: 'targets',
      expected: 'one at least',
      received: 'none',
    });
    let readCount = 0;
    const readSyncConfig = (): Promise<typeof CONFIG> => {
      readCount += 1;
      return readCount === 3 ? Promise.reject(wrong) : Promise.resolve(CONFIG);
    };
    const later = setUpSync(reports(DONE), { readSyncConfig }, { now: () => Date.now() });
    const ended = runProgram(later.context, ['sync', 'm.yaml', '--watch', '15m']);
    await waiting();
    await vi.advanceTimersByTimeAsync(15 * MINUTE);
    await waiting();
    later.context.send('SIGINT');
    expect(await ended).toBe(0);
    expect(later.context.stderr.text).toContain('targets: expected one at least');

    const early = setUpSync(reports(DONE), { readSyncConfig: () => Promise.reject(wrong) });
    expect(await runProgram(early.context, ['sync', 'm.yaml', '--watch', '15m'])).toBe(2);
    expect(early.context.signalListeners.size).toBe(0);
  });

  test('ends with 130 where a signal interrupted a run', async () => {
    const { context, ended, runCount } = watch(async function* run({ drainSignal }) {
      yield* [];
      await aborted(drainSignal);
      return reportOf('interrupted', [reportTag('1', 'not-started')]);
    });
    while (runCount() === 0) await new Promise((resolve) => setImmediate(resolve));
    context.send('SIGINT');
    expect(await ended).toBe(130);
  });

  test('prints one line of JSON a run, and writes the report of the last one', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'report.json');
    const words = ['--json', '--quiet', '--report', path];
    const { context, ended } = watch(reports(DONE, PARTIAL), ...words);
    await waiting();
    await vi.advanceTimersByTimeAsync(15 * MINUTE);
    await waiting();
    context.send('SIGINT');
    expect(await ended).toBe(0);
    const outcomes = context.stdout.lines.map((line) => (JSON.parse(line) as SyncReport).outcome);
    expect(outcomes).toEqual(['done', 'partial']);
    expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject({ outcome: 'partial' });
    // What failed is an error, and is told also to who wants quiet.
    expect(context.stderr.lines[0]).toBe('failed:');
  });
});
