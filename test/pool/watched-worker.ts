/** A worker file that notes its jobs and can end its thread in the middle of one. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A job's kind, and how often to end the thread before one of that kind is begun. */
export interface Crash {
  readonly kind: string;
  readonly times: number;
}

export interface WatchedWorker extends Disposable {
  /** For the option `workerUrl`. */
  readonly path: string;
  /** The jobs begun so far. */
  jobs(): readonly { readonly threadId: number; readonly kind: string }[];
}

const REAL_WORKER = new URL('../../dist/workers/layer.worker.js', import.meta.url).href;

export function watchedWorker(crash: Crash = { kind: 'none', times: 0 }): WatchedWorker {
  const folder = mkdtempSync(join(tmpdir(), 'longshore-'));
  const path = join(folder, 'watched.worker.mjs');
  const journal = join(folder, 'jobs.txt');
  writeFileSync(journal, '');
  writeFileSync(
    path,
    `import { appendFileSync, readFileSync } from 'node:fs';
     import { threadId } from 'node:worker_threads';
     import { run as runJob } from ${JSON.stringify(REAL_WORKER)};
     const crash = ${JSON.stringify(crash)};
     const journal = ${JSON.stringify(journal)};
     export async function run(job) {
       appendFileSync(journal, threadId + ' ' + job.kind + '\\n');
       if (job.kind === crash.kind) {
         const text = readFileSync(journal, 'utf8');
         // Ends this thread, not the process.
         if (text.split(' ' + job.kind + '\\n').length - 1 <= crash.times) process.exit(1);
       }
       return runJob(job);
     }`,
  );
  return {
    path,
    jobs: () =>
      readFileSync(journal, 'utf8')
        .trim()
        .split('\n')
        .map((line) => {
          const [threadId, kind = ''] = line.split(' ');
          return { threadId: Number(threadId), kind };
        }),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  };
}
