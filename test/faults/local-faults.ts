/** What goes wrong on this side of the wire. */

import type { LocalFault } from './fault.ts';
import { ASKS_AGAIN } from './reply-faults.ts';

export type WorkerJob = 'transmit' | 'fold' | 'digest' | 'hash-file' | 'download';

const CRASH = 'a worker thread crashes or runs out of memory';

export const WORKER_FAULTS: readonly (LocalFault & { readonly job: WorkerJob })[] = [
  {
    name: CRASH,
    job: 'transmit',
    where: 'while it sends a part',
    answer: 'sends the part from another thread',
    passing: 'finishes',
    lasting: 'E_WORKER_LOST',
  },
  ...(['fold', 'digest'] as const).map((job) => ({
    name: CRASH,
    job,
    where: job === 'fold' ? 'while it reads a part' : 'while it has the digest of the layer',
    answer: 'begins another upload, once, if the source can be read again',
    passing: 'finishes' as const,
    lasting: 'E_WORKER_LOST' as const,
  })),
  {
    name: CRASH,
    job: 'hash-file',
    where: 'while it hashes a file',
    answer: 'gives up at once',
    passing: 'E_WORKER_LOST',
    lasting: 'E_WORKER_LOST',
  },
  {
    name: CRASH,
    job: 'download',
    where: 'while it reads a blob back',
    answer: ASKS_AGAIN,
    passing: 'finishes',
    lasting: 'E_WORKER_LOST',
  },
];

export const READ_ERROR: LocalFault = {
  name: 'a disk or a stream cannot be read (EIO)',
  where: 'any source, anywhere in the layer',
  answer: 'gives up; nothing is completed',
  passing: 'E_SOURCE_UNREADABLE',
  lasting: 'E_SOURCE_UNREADABLE',
};

export const FILE_CHANGED: LocalFault = {
  name: 'a file grows, shrinks, is replaced or rewritten',
  where: 'after it was opened or hashed',
  answer: 'gives up; nothing is completed',
  passing: 'E_SOURCE_CHANGED',
  lasting: 'E_SOURCE_CHANGED',
};

export const FILE_GONE: LocalFault = {
  name: 'a file is removed',
  where: 'after it was opened or hashed',
  answer: 'gives up; nothing is completed',
  passing: 'E_SOURCE_UNREADABLE',
  lasting: 'E_SOURCE_UNREADABLE',
};

export const DISK_FULL: LocalFault = {
  name: 'the disk is full, or fails',
  where: 'in the journal (`resumeDirectory`)',
  answer: 'goes on without; the event `journal-unusable` tells',
  passing: 'finishes',
  lasting: 'finishes',
};

export const PUT_LAG: LocalFault = {
  name: 'ECR does not see layers yet that it has taken',
  where: '`PutImage`',
  answer: 'waits, up to six seconds',
  passing: 'finishes',
  lasting: 'E_IMAGE_REJECTED',
};

export const LOCAL_FAULTS: readonly LocalFault[] = [
  PUT_LAG,
  ...WORKER_FAULTS,
  READ_ERROR,
  FILE_CHANGED,
  FILE_GONE,
  DISK_FULL,
];
