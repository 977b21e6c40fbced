/** Who this process is, in a way that tells it apart from a later one with the same number. */

import { createHash } from 'node:crypto';
import { readFile, readlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { kill } from 'node:process';
import { systemCodeOf } from '../errors.ts';

export interface ProcessMark {
  /** Names the machine since its start, and the space in which process numbers are unique. */
  readonly place: string;
  readonly processId: number;
  /** When the process began, in the system's own units; 0 where it does not tell. */
  readonly startTime: string;
}

const PLACE_LENGTH = 12;
/** Of the fields behind the name of the program, which may hold spaces and brackets itself. */
const START_TIME_FIELD = 19;

export async function ownMark(): Promise<ProcessMark> {
  const [bootId, space] = await Promise.all([
    readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => ''),
    readlink('/proc/self/ns/pid').catch(() => ''),
  ]);
  const place = bootId === '' ? hostname() : `${bootId} ${space}`;
  return {
    place: createHash('sha256').update(place).digest('hex').slice(0, PLACE_LENGTH),
    processId: process.pid,
    startTime: (await startTimeOf(process.pid)) ?? '0',
  };
}

/** Whether a process of this place still runs. */
export async function isRunning({ processId, startTime }: ProcessMark): Promise<boolean> {
  const found = await startTimeOf(processId);
  if (found !== undefined) return found === startTime;
  if (startTime !== '0') return false;
  try {
    // Signal 0 is none: it only asks.
    kill(processId, 0);
    return true;
  } catch (error) {
    return systemCodeOf(error) === 'EPERM';
  }
}

async function startTimeOf(processId: number): Promise<string | undefined> {
  const line = await readFile(`/proc/${processId}/stat`, 'utf8').catch(() => undefined);
  return line?.slice(line.lastIndexOf(')') + 2).split(' ')[START_TIME_FIELD];
}
