/** Hashing in threads, in a process of its own. */

import { Child } from './child-process.ts';
import { MachineLoad } from './machine-load.ts';

/** What the process is told. */
export interface HashJob {
  readonly hasher: 'native' | 'wasm';
  readonly threadCount: number;
  /** One layer whose state hops from thread to thread, rather than a layer for each. */
  readonly hops: boolean;
  readonly durationMs: number;
}

/** What it answers. Threads are there before the clock starts. */
export interface HashRun {
  /** What the library's `hasher: 'auto'` decides for in this process. */
  readonly autoPicks: 'native' | 'wasm';
  readonly hashedBytes: number;
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly cpuLifetimeMs: number;
}

export interface FairHashRun extends HashRun {
  /** Share of the machine's cores that was in other hands meanwhile. */
  readonly foreignShare: number;
}

/** @throws Error if the process ends without an answer */
export async function runHashThreads(file: string, job: HashJob): Promise<FairHashRun> {
  const ownBefore = process.cpuUsage();
  const load = new MachineLoad();
  await using child = new Child('hashing', file);
  const run = (await child.ask(job)) as HashRun;
  const own = process.cpuUsage(ownBefore);
  const foreignShare = load.foreignShare(run.cpuLifetimeMs + (own.user + own.system) / 1000);
  return { ...run, foreignShare };
}
