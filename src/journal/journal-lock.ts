/**
 * One process at a time has a layer's journal. A lock is an empty file whose name says whose it is, so it
 * is whole as soon as it is there, and no two processes ever make or remove the same one: who wants the
 * journal makes its own file first and looks for others then. Of two that come at once at least one sees
 * the other and stands back; perhaps both do, which costs them the journal and nothing else. Files of
 * dead processes belong to nobody and are removed by whoever finds them.
 */

import { randomBytes } from 'node:crypto';
import { open, readdir, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { isRunning, type ProcessMark } from './process-mark.ts';

/**
 * Of a process on another machine, or in another container, nobody can tell whether it lives. It is
 * believed to as long as its lock or its journal is this young. A wrong guess harms nothing but speed:
 * the registry takes each part once, whoever sends it.
 */
const FOREIGN_LIFE_MS = 60_000;

const LOCK_NAME =
  /^(?<key>[0-9a-f]+)\.(?<place>[0-9a-f]+)\.(?<processId>\d+)\.(?<startTime>\d+)\.[0-9a-f]+\.lock$/;

export interface JournalLock {
  /** Never rejects; idempotent. */
  release(): Promise<void>;
}

/**
 * Takes the lock of a layer; `undefined` if somebody else has it.
 * @param key of the layer
 * @param journalPath whose age tells of a process elsewhere
 * @throws what the file system throws
 */
export async function takeLock(
  folder: string,
  key: string,
  mark: ProcessMark,
  journalPath: string,
  nowMs: number,
): Promise<JournalLock | undefined> {
  const { place, processId, startTime } = mark;
  const nonce = randomBytes(4).toString('hex');
  const name = `${key}.${place}.${processId}.${startTime}.${nonce}.lock`;
  const path = join(folder, name);
  const release = (): Promise<void> => rm(path, { force: true }).catch(() => undefined);
  await (await open(path, 'wx', 0o600)).close();
  try {
    const others = (await readdir(folder)).filter(
      (other) => other !== name && keyOf(other) === key,
    );
    for (const other of others) {
      const otherPath = join(folder, other);
      if (await isAlive(otherPath, mark, journalPath, nowMs)) {
        await release();
        return undefined;
      }
      await rm(otherPath, { force: true });
    }
    return { release };
  } catch (error) {
    await release();
    throw error;
  }
}

/** Whether a file is the lock of a process of this place that still runs. */
export async function isHeld(path: string, own: ProcessMark): Promise<boolean> {
  const owner = ownerOf(basename(path));
  return owner !== undefined && owner.place === own.place && (await isRunning(owner));
}

function ownerOf(name: string): ProcessMark | undefined {
  const groups = LOCK_NAME.exec(name)?.groups;
  if (groups === undefined) return undefined;
  const { place = '', processId = '', startTime = '' } = groups;
  return { place, processId: Number(processId), startTime };
}

function keyOf(name: string): string | undefined {
  return LOCK_NAME.exec(name)?.groups?.['key'];
}

async function isAlive(
  path: string,
  own: ProcessMark,
  journalPath: string,
  nowMs: number,
): Promise<boolean> {
  if (ownerOf(basename(path))?.place === own.place) return isHeld(path, own);
  const signs = await Promise.all([path, journalPath].map(changedMs));
  return nowMs - Math.max(...signs) < FOREIGN_LIFE_MS;
}

function changedMs(path: string): Promise<number> {
  return stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  );
}
