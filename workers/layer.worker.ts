import { giveWay } from '../src/pool/thread-priority.ts';

giveWay();

/** The worker thread's entry: piscina calls `run` with one job at a time, many at once. */
export { runJob as run } from '../src/pool/worker-jobs.ts';
