/** A worker file whose thread ends, or whose disk fails, in jobs of a kind, so many times. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '../package/temporary-folder.ts';
import type { WorkerJob } from './local-faults.ts';

export interface WorkerFailure {
  readonly job: WorkerJob;
  readonly how: 'exit' | 'out-of-memory' | 'read-error';
  readonly times: number;
}

export interface FailingWorker extends Disposable {
  /** For the option `workerUrl`. */
  readonly path: string;
  arm(failure: WorkerFailure): void;
  /** @returns how often it is still to fail */
  disarm(): number;
}

const REAL_WORKER = new URL('../../dist/workers/layer.worker.js', import.meta.url).href;

/** For uploaders of one thread: more would count at once. */
export function failingWorker(): FailingWorker {
  const folder = temporaryFolder();
  const path = join(folder.path, 'failing.worker.mjs');
  const order = join(folder.path, 'order.json');
  const write = (failure: Partial<WorkerFailure>): void => {
    writeFileSync(order, JSON.stringify({ times: 0, ...failure }));
  };
  write({});
  writeFileSync(
    path,
    `import { readFileSync, writeFileSync } from 'node:fs';
     import { run as runJob } from ${JSON.stringify(REAL_WORKER)};
     const order = ${JSON.stringify(order)};
     export async function run(job) {
       const { job: kind, how, times } = JSON.parse(readFileSync(order, 'utf8'));
       if (job.kind !== kind || times === 0) return runJob(job);
       writeFileSync(order, JSON.stringify({ job: kind, how, times: times - 1 }));
       // Ends this thread, not the process.
       if (how === 'exit') process.exit(1);
       if (how === 'out-of-memory') {
         // As Node tells of a thread that has reached its limit, without filling this machine's memory.
         setImmediate(() => {
           const text = 'Worker terminated due to reaching memory limit: JS heap out of memory';
           throw Object.assign(new Error(text), { code: 'ERR_WORKER_OUT_OF_MEMORY' });
         });
         return new Promise(() => undefined);
       }
       // The first page of a process's memory: a file that opens, and whose reading is EIO.
       return runJob({ ...job, input: { ...job.input, path: '/proc/self/mem', offsetBytes: 0 } });
     }`,
  );
  return {
    path,
    arm: write,
    disarm: () => {
      const { times } = JSON.parse(readFileSync(order, 'utf8')) as { times: number };
      write({});
      return times;
    },
    [Symbol.dispose]: () => folder[Symbol.dispose](),
  };
}
