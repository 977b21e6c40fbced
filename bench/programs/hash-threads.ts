/** SHA-256 in threads of a process of its own: how many bytes a second, and what they cost. */

import { createHash, randomFillSync } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { createSHA256 } from 'hash-wasm';
import type { HashJob, HashRun } from '../harness/hash-run.ts';
import { fasterHasher } from '../../src/pool/hasher.ts';
import { listen, say } from './conversation.ts';

/** What ECR asks for: a state hops once a part. */
const PART_SIZE_BYTES: number = 10 * 1024 * 1024;
/** What longshore hashes at once: small enough to be still in the cache when it is encoded. */
const PIECE_SIZE_BYTES: number = 48 * 1024;

/** What a thread is told. */
type Order =
  /** Hash a layer of its own until the time is over. */
  | { readonly kind: 'run'; readonly durationMs: number }
  /** Go on with a layer from this state, for one part. */
  | { readonly kind: 'part'; readonly state: Uint8Array | undefined };

interface Answer {
  readonly hashedBytes: number;
  readonly state?: Uint8Array;
}

if (isMainThread) {
  listen((value) => {
    measure(value as HashJob)
      .then(say, (error: unknown) => {
        console.error(error);
        process.exitCode = 1;
      })
      .finally(() => process.stdin.unref());
  });
} else {
  await runThread(workerData as HashJob['hasher']);
}

async function measure({ hasher, threadCount, hops, durationMs }: HashJob): Promise<HashRun> {
  const autoPicks = await fasterHasher();
  const threads = Array.from(
    { length: threadCount },
    () => new Worker(fileURLToPath(import.meta.url), { workerData: hasher }),
  );
  await Promise.all(threads.map((thread) => once(thread, 'message')));
  const cpuBefore = process.cpuUsage();
  const startedAt = performance.now();
  const hashedBytes = hops
    ? await hashInTurn(threads, durationMs)
    : await hashSideBySide(threads, durationMs);
  const wallMs = performance.now() - startedAt;
  const cpu = process.cpuUsage(cpuBefore);
  await Promise.all(threads.map((thread) => thread.terminate()));
  const lifetime = process.cpuUsage();
  return {
    autoPicks,
    hashedBytes,
    wallMs,
    cpuMs: (cpu.user + cpu.system) / 1000,
    cpuLifetimeMs: (lifetime.user + lifetime.system) / 1000,
  };
}

/** A layer for each thread. */
async function hashSideBySide(threads: readonly Worker[], durationMs: number): Promise<number> {
  const answers = await Promise.all(
    threads.map((thread) => ask(thread, { kind: 'run', durationMs })),
  );
  return answers.reduce((sum, { hashedBytes }) => sum + hashedBytes, 0);
}

/** One layer for all of them: its parts go round, and its state with them. */
async function hashInTurn(threads: readonly Worker[], durationMs: number): Promise<number> {
  const endsAtMs = performance.now() + durationMs;
  let hashedBytes = 0;
  let state: Uint8Array | undefined;
  while (performance.now() < endsAtMs) {
    for (const thread of threads) {
      const answer = await ask(thread, { kind: 'part', state });
      hashedBytes += answer.hashedBytes;
      state = answer.state;
    }
  }
  return hashedBytes;
}

async function ask(thread: Worker, order: Order): Promise<Answer> {
  const answered = once(thread, 'message');
  thread.postMessage(order);
  const [answer] = (await answered) as [Answer];
  return answer;
}

async function runThread(hasher: HashJob['hasher']): Promise<void> {
  const part = randomFillSync(Buffer.allocUnsafe(PART_SIZE_BYTES));
  const wasm = hasher === 'wasm' ? await createSHA256() : undefined;
  const native = createHash('sha256');
  wasm?.init();
  const update = (piece: Buffer): unknown => (wasm ?? native).update(piece);
  hashPart(part, update);
  parentPort?.on('message', (order: Order) => {
    if (order.kind === 'part') {
      if (order.state !== undefined) wasm?.load(order.state);
      const hashedBytes = hashPart(part, update);
      parentPort?.postMessage({ hashedBytes, state: wasm?.save() });
      return;
    }
    const endsAtMs = performance.now() + order.durationMs;
    let hashedBytes = 0;
    while (performance.now() < endsAtMs) hashedBytes += hashPart(part, update);
    parentPort?.postMessage({ hashedBytes });
  });
  parentPort?.postMessage('ready');
}

function hashPart(part: Buffer, update: (piece: Buffer) => unknown): number {
  for (let start = 0; start < part.length; start += PIECE_SIZE_BYTES) {
    update(part.subarray(start, start + PIECE_SIZE_BYTES));
  }
  return part.length;
}
