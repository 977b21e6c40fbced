import { spawnSync } from 'node:child_process';
import { readdir, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type JournalLock, takeLock } from '../../src/journal/journal-lock.ts';
import { isRunning, ownMark, type ProcessMark } from '../../src/journal/process-mark.ts';
import { temporaryFolder } from './temporary-folder.ts';

const KEY = 'ab'.repeat(32);

function take(
  folder: string,
  mark: ProcessMark,
  { key = KEY, nowMs = Date.now() } = {},
): Promise<JournalLock | undefined> {
  return takeLock(folder, key, mark, join(folder, `${key}.journal`), nowMs);
}

describe('the lock of a layer', () => {
  test('is had by one upload at a time', async () => {
    await using folder = await temporaryFolder();
    const mark = await ownMark();
    const lock = await take(folder.path, mark);
    expect(lock).toBeDefined();
    expect(await take(folder.path, mark)).toBe(undefined);
    expect(await take(folder.path, mark, { key: 'cd'.repeat(32) })).toBeDefined();
    await lock?.release();
    await lock?.release();
    const again = await take(folder.path, mark);
    expect(again).toBeDefined();
    await again?.release();
    expect(await readdir(folder.path)).toHaveLength(1);
  });

  test('is never had by two that come at once', async () => {
    await using folder = await temporaryFolder();
    const mark = await ownMark();
    for (let round = 0; round < 30; round += 1) {
      const locks = await Promise.all(Array.from({ length: 6 }, () => take(folder.path, mark)));
      const had = locks.filter((lock) => lock !== undefined);
      expect(had.length).toBeLessThanOrEqual(1);
      await Promise.all(had.map((lock) => lock.release()));
      expect(await readdir(folder.path)).toEqual([]);
    }
  });

  test.each(['a process that has ended', 'an earlier process with the same number'])(
    'is taken over from %s, by one of those that come at once at most',
    async (whose) => {
      await using folder = await temporaryFolder();
      const own = await ownMark();
      const dead =
        whose === 'a process that has ended'
          ? { ...own, processId: spawnSync(process.execPath, ['--version']).pid }
          : { ...own, startTime: '1' };
      expect(await take(folder.path, dead)).toBeDefined();
      const locks = await Promise.all([1, 2, 3].map(() => take(folder.path, own)));
      const had = locks.filter((lock) => lock !== undefined);
      expect(had.length).toBeLessThanOrEqual(1);
      await Promise.all(had.map((lock) => lock.release()));
      expect(await take(folder.path, own)).toBeDefined();
      expect(await readdir(folder.path)).toHaveLength(1);
    },
  );

  test('of a process elsewhere is respected for a minute', async () => {
    await using folder = await temporaryFolder();
    const own = await ownMark();
    const elsewhere = { ...own, place: 'f'.repeat(12) };
    expect(await take(folder.path, elsewhere)).toBeDefined();
    const nowMs = Date.now();
    expect(await take(folder.path, own, { nowMs: nowMs + 50_000 })).toBe(undefined);
    const [name = ''] = await readdir(folder.path);
    await utimes(join(folder.path, name), new Date(nowMs - 61_000), new Date(nowMs - 61_000));
    expect(await take(folder.path, own, { nowMs })).toBeDefined();
    expect(await readdir(folder.path)).toHaveLength(1);
  });
});

test('a process knows itself among the running, and nobody else under its number', async () => {
  const own = await ownMark();
  expect(await isRunning(own)).toBe(true);
  expect(await isRunning({ ...own, startTime: '1' })).toBe(own.startTime === '1');
  const { pid } = spawnSync(process.execPath, ['--version']);
  expect(await isRunning({ ...own, processId: pid, startTime: '0' })).toBe(false);
});
