/**
 * The piscina pool: a fixed number of threads, each running many jobs at once, since most of a job's
 * life is waiting for the network. Some jobs belong together on one thread: an open native digest, or
 * the release of a transmission. A load balancer of our own keeps them there.
 */

import * as nodeModule from 'node:module';
import type { Piscina } from 'piscina';
import type { Job, JobFailure, JobResult, JobValue } from './job-protocol.ts';
import { ThreadWatch } from './thread-watch.ts';
import { locateWorker, workerNotFound } from './worker-location.ts';

/** Jobs one thread runs at once; parts in flight are bounded long before. */
const JOBS_PER_WORKER_MAX = 4096;
/**
 * Encoding makes one short-lived string of 64 KiB after the other. A smaller young generation is
 * collected too often (2 MiB costs 10 % of the CPU), V8's default takes up to 48 MiB a thread.
 */
const YOUNG_GENERATION_MAX_MIB = 8;
/** Jobs that wait while threads start. */
const JOBS_WAITING_MAX = 65_536;

/**
 * Longest time in which a thread with work may have no turn of its event loop; then it counts as lost.
 * Its longest step is one read of a disk, or one frame of compression.
 */
const THREAD_SILENCE_MS_MAX = 120_000;

/** Where a job must or should run. */
export interface Affinity {
  /** Jobs with the same key run on the same thread, from the first on. */
  readonly key: string;
  /** This very thread, if it is there. */
  readonly threadId?: number;
  /** `only`: the key's one long job; `follow`: joins it; absent: one of a series of jobs. */
  readonly role?: 'only' | 'follow' | 'last';
}

type PoolTask = Parameters<NonNullable<PiscinaOptions['loadBalancer']>>[0];
type PoolWorker = Parameters<NonNullable<PiscinaOptions['loadBalancer']>>[1][number];
type PiscinaOptions = NonNullable<ConstructorParameters<typeof Piscina>[0]>;
type PiscinaClass = typeof Piscina;

export class WorkerPool {
  readonly #threads: number;
  readonly #workerUrl: URL | string | undefined;
  readonly #watch: ThreadWatch;
  /** Thread id by affinity key. */
  readonly #homes = new Map<string, number>();
  #pool: Promise<{ pool: Piscina; queueOptions: symbol }> | undefined;
  #threadIds: () => number[] = () => [];
  #ask: (threadId: number, signal: AbortSignal) => Promise<unknown> = () => Promise.resolve();
  #turn = 0;
  #broken = false;
  #closed = false;

  /**
   * @param threads 1 or more; they start with the first job, or `warm`
   * @param workerUrl the compiled worker file, if it is not where it was built
   * @param silenceMsMax after which a thread that does not answer counts as lost
   */
  constructor(
    threads: number,
    workerUrl: URL | string | undefined,
    silenceMsMax: number = THREAD_SILENCE_MS_MAX,
  ) {
    this.#threads = threads;
    this.#workerUrl = workerUrl;
    this.#watch = new ThreadWatch(
      { threadIds: () => this.#threadIds(), ask: (id, signal) => this.#ask(id, signal) },
      silenceMsMax,
    );
  }

  /** Starts the threads ahead of the first job. If they cannot be started, that job tells. */
  warm(): void {
    if (this.#closed) return;
    this.#pool ??= this.#start();
    this.#pool.catch(() => undefined);
  }

  /**
   * Runs a job. Never rejects for what happens in the worker: a lost worker is a failure as well.
   * @throws LongshoreError E_WORKER_NOT_FOUND
   */
  async run<Kind extends Job['kind']>(
    job: Extract<Job, { kind: Kind }>,
    affinity?: Affinity,
  ): Promise<
    { ok: true; value: JobValue[Kind] } | { ok: false; failure: JobFailure | WorkerLost }
  > {
    if (this.#closed) return { ok: false, failure: workerLost('the pool is closed') };
    if (this.#broken) return { ok: false, failure: workerLost('threads do not start') };
    this.#pool ??= this.#start();
    const { pool, queueOptions } = await this.#pool;
    const task = affinity === undefined ? job : { ...job, [queueOptions]: affinity };
    const jobEnds = this.#watch.jobBegins();
    try {
      return (await pool.run(task)) as JobResult<Kind>;
    } catch (error) {
      return { ok: false, failure: workerLost(error instanceof Error ? error.message : '') };
    } finally {
      jobEnds();
      if (affinity?.role === 'only' || affinity?.role === 'last') this.#homes.delete(affinity.key);
    }
  }

  /** Runs a job whose answer nobody waits for. That it failed, the job that it is about will tell. */
  tell(job: Job, affinity: Affinity): void {
    this.run(job, affinity).catch(() => undefined);
  }

  /** Ends the threads, and with them their sockets. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#watch.stop();
    const started = await this.#pool?.catch(() => undefined);
    await started?.pool.destroy();
    this.#homes.clear();
  }

  async #start(): Promise<{ pool: Piscina; queueOptions: symbol }> {
    const filename = locateWorker(this.#workerUrl);
    const PiscinaPool = loadPiscina(filename);
    const pool = new PiscinaPool({
      filename,
      name: 'run',
      minThreads: this.#threads,
      maxThreads: this.#threads,
      idleTimeout: 0,
      maxQueue: JOBS_WAITING_MAX,
      concurrentTasksPerWorker: JOBS_PER_WORKER_MAX,
      // A blocked thread could not serve its sockets.
      atomics: 'disabled',
      // The embedding program's own flags and arguments are not for our threads.
      execArgv: [],
      argv: [],
      // A thread that dies in the middle of a file must not leave it open.
      trackUnmanagedFds: true,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MAX_MIB },
      recordTiming: false,
      stricterFIFO: true,
      loadBalancer: (task, workers) => this.#choose(task, workers, PiscinaPool.queueOptionsSymbol),
    });
    // A thread that dies idle: its jobs are told through their own results.
    pool.on('error', () => undefined);
    // Piscina gives up on threads that do not start, and would let jobs wait for them for ever.
    pool.on('workerDestroy', () => {
      setImmediate(() => {
        if (this.#closed || this.#broken || pool.threads.length > 0) return;
        this.#broken = true;
        void pool.destroy();
      });
    });
    this.#threadIds = () => pool.threads.map(({ threadId }) => threadId);
    const queueOptions: symbol = PiscinaPool.queueOptionsSymbol;
    this.#ask = (threadId, signal) =>
      pool.run(
        { kind: 'ping', [queueOptions]: { key: 'ping', role: 'follow', threadId } },
        { signal },
      );
    return { pool, queueOptions };
  }

  #choose(task: PoolTask, workers: PoolWorker[], queueOptions: symbol): PoolWorker | null {
    const affinity = (task as unknown as Record<symbol, Affinity | null>)[queueOptions] ?? null;
    if (affinity === null) return this.#leastBusy(workers);
    const home = affinity.threadId ?? this.#homes.get(affinity.key);
    const worker = workers.find(({ id }) => id === home);
    if (worker !== undefined) return worker;
    const chosen = this.#leastBusy(workers);
    if (chosen !== null && affinity.role !== 'follow') this.#homes.set(affinity.key, chosen.id);
    return chosen;
  }

  /** By what is bound to a thread first: that work is still to come. */
  #leastBusy(workers: PoolWorker[]): PoolWorker | null {
    const bound = new Map<number, number>();
    for (const id of this.#homes.values()) bound.set(id, (bound.get(id) ?? 0) + 1);
    let best: PoolWorker | null = null;
    let bestLoad = Number.POSITIVE_INFINITY;
    // Among equals their turn decides, so that no thread does all the work of a quiet pool.
    this.#turn += 1;
    for (let index = 0; index < workers.length; index += 1) {
      const worker = workers[(index + this.#turn) % workers.length];
      if (worker === undefined) continue;
      const load = (bound.get(worker.id) ?? 0) * JOBS_PER_WORKER_MAX + worker.currentUsage;
      if (load < bestLoad) {
        best = worker;
        bestLoad = load;
      }
    }
    return best;
  }
}

/** The thread died, or the pool was closed, before the job was done. */
export interface WorkerLost {
  readonly kind: 'worker-lost';
  readonly message: string;
}

function workerLost(reason: string): WorkerLost {
  return { kind: 'worker-lost', message: `the worker thread is gone: ${reason}` };
}

/**
 * Piscina starts its threads from a file of its own, so only an installed copy is of use: it is looked
 * for beside the worker file, then beside this one. Required, not imported, so that no bundler takes
 * it in; by the namespace, since bundles often declare a `createRequire` of their own at the top.
 */
function loadPiscina(workerPath: string): PiscinaClass {
  try {
    return requirePiscina(workerPath);
  } catch (error) {
    try {
      // Throws as well in a CommonJS bundle, where there is no such URL.
      return requirePiscina(import.meta.url);
    } catch {
      throw workerNotFound(workerPath, error);
    }
  }
}

function requirePiscina(from: string): PiscinaClass {
  return (nodeModule.createRequire(from)('piscina') as { Piscina: PiscinaClass }).Piscina;
}
