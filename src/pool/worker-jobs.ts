/** Everything a worker does, by kind of job. Answers with data, never by throwing. */

import { compressFile } from './compression.ts';
import { Download } from './download.ts';
import { fold, hashFile } from './fold.ts';
import { fasterHasher, forgetHash, resumeHasher, startHasher } from './hasher.ts';
import { JobError } from './job-failure.ts';
import type { Job, JobResult, JobValue } from './job-protocol.ts';
import { Transmission } from './transmission.ts';

const transmissions = new Map<string, Transmission>();
const downloads = new Map<string, Download>();
/** Long jobs by id, and those of them that were cancelled. */
const running = new Set<string>();
const cancelled = new Set<string>();

export async function runJob(job: Job): Promise<JobResult> {
  try {
    return { ok: true, value: await perform(job) };
  } catch (error) {
    if (error instanceof JobError) return { ok: false, failure: error.failure };
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { ok: false, failure: { kind: 'defect', message } };
  }
}

async function perform(job: Job): Promise<JobValue[Job['kind']]> {
  switch (job.kind) {
    case 'ping':
      return undefined;
    case 'calibrate':
      return fasterHasher();
    case 'hash-file':
      return cancellable(job.id, (isCancelled) => hashWholeFile(job, isCancelled));
    case 'fold':
      return fold(job);
    case 'digest': {
      const hasher = await resumeHasher(job.hash, 1);
      try {
        return hasher.digest();
      } finally {
        hasher.release();
      }
    }
    case 'forget-hash':
      forgetHash(job.key);
      return undefined;
    case 'transmit': {
      const transmission = new Transmission(job);
      transmissions.set(job.id, transmission);
      try {
        return await transmission.reply;
      } finally {
        transmissions.delete(job.id);
      }
    }
    case 'compress':
      return cancellable(job.id, (isCancelled) => compressFile(job, isCancelled));
    case 'download': {
      const download = new Download(job);
      downloads.set(job.id, download);
      try {
        return await download.run();
      } finally {
        downloads.delete(job.id);
      }
    }
    case 'release':
      transmissions.get(job.id)?.release();
      return undefined;
    case 'cancel':
      transmissions.get(job.id)?.cancel();
      downloads.get(job.id)?.cancel();
      if (running.has(job.id)) cancelled.add(job.id);
      return undefined;
  }
}

async function hashWholeFile(
  job: Extract<Job, { kind: 'hash-file' }>,
  isCancelled: () => boolean,
): Promise<string> {
  const progress = new Float64Array(job.progress);
  const hasher = await startHasher(job.hasher);
  try {
    return await hashFile(
      job,
      hasher,
      (bytes) => {
        progress[0] = bytes;
      },
      isCancelled,
    );
  } finally {
    hasher.release();
  }
}

/** Runs a job that asks now and then whether it was cancelled. */
async function cancellable<T>(
  id: string,
  work: (isCancelled: () => boolean) => Promise<T>,
): Promise<T> {
  running.add(id);
  try {
    return await work(() => cancelled.has(id));
  } finally {
    running.delete(id);
    cancelled.delete(id);
  }
}
