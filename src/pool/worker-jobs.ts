/** Everything a worker does, by kind of job. Answers with data, never by throwing. */

import { Download } from './download.ts';
import { fold, hashFile } from './fold.ts';
import { fasterHasher, forgetHash, resumeHasher, startHasher } from './hasher.ts';
import { JobError } from './job-failure.ts';
import type { Job, JobResult, JobValue } from './job-protocol.ts';
import { Transmission } from './transmission.ts';

const transmissions = new Map<string, Transmission>();
const downloads = new Map<string, Download>();
const runningHashes = new Set<string>();
const cancelledHashes = new Set<string>();

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
    case 'calibrate':
      return fasterHasher();
    case 'hash-file':
      return hashWholeFile(job);
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
      if (runningHashes.has(job.id)) cancelledHashes.add(job.id);
      return undefined;
  }
}

async function hashWholeFile(job: Extract<Job, { kind: 'hash-file' }>): Promise<string> {
  const progress = new Float64Array(job.progress);
  runningHashes.add(job.id);
  const hasher = await startHasher(job.hasher);
  try {
    return await hashFile(
      job,
      hasher,
      (bytes) => {
        progress[0] = bytes;
      },
      () => cancelledHashes.has(job.id),
    );
  } finally {
    hasher.release();
    runningHashes.delete(job.id);
    cancelledHashes.delete(job.id);
  }
}
