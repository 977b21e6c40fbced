/** Two SHA-256 implementations behind one port. Both run only inside workers. */

import { createHash, type Hash } from 'node:crypto';
import type { IHasher } from 'hash-wasm';
import { JobError } from './job-failure.ts';
import type { HasherKind, HashState } from './job-protocol.ts';

/** A digest in the making. */
export interface Hasher {
  update(bytes: Uint8Array): void;
  /** Hexadecimal, of all bytes so far; more may follow. */
  digest(): string;
  /** State that another thread can go on from; only of the portable implementation. */
  save(): Uint8Array | undefined;
  /** The hasher is not used any more. */
  release(): void;
}

/** Open digests of node:crypto, whose state cannot leave the thread. */
const nativeHashes = new Map<string, Hash>();
/** Idle WASM instances: making one compiles code and allocates memory. */
const idleWasm: IHasher[] = [];

/** Takes up a digest where it was left. */
export async function resumeHasher(state: HashState, firstByte: number): Promise<Hasher> {
  if (state.kind === 'wasm') return wasmHasher(state.saved);
  let hash = nativeHashes.get(state.key);
  if (hash === undefined) {
    if (firstByte > 0) {
      throw new JobError({ kind: 'hash-lost', message: 'the worker with the digest is gone' });
    }
    hash = createHash('sha256');
    nativeHashes.set(state.key, hash);
  }
  return nativeHasher(hash);
}

/** A digest for use within one job. */
export function startHasher(kind: HasherKind): Promise<Hasher> {
  return kind === 'wasm'
    ? wasmHasher(undefined)
    : Promise.resolve(nativeHasher(createHash('sha256')));
}

export function forgetHash(key: string): void {
  nativeHashes.delete(key);
}

function nativeHasher(hash: Hash): Hasher {
  return {
    update: (bytes) => void hash.update(bytes),
    digest: () => hash.copy().digest('hex'),
    save: () => undefined,
    release: () => undefined,
  };
}

async function wasmHasher(saved: Uint8Array | undefined): Promise<Hasher> {
  const hash = idleWasm.pop() ?? (await createWasm());
  if (saved === undefined) hash.init();
  else hash.load(saved);
  return {
    update: (bytes) => void hash.update(bytes),
    digest: () => {
      // hash-wasm's digest ends the state, so it goes on from a copy.
      const state = hash.save();
      const hex = hash.digest('hex');
      hash.load(state);
      return hex;
    },
    save: () => hash.save(),
    release: () => void idleWasm.push(hash),
  };
}

/** Loaded only by threads that use it: each would pay for it. */
async function createWasm(): Promise<IHasher> {
  const { createSHA256 } = await import('hash-wasm');
  return createSHA256();
}

/** Megabytes a second that WASM reaches nowhere: node:crypto that fast is faster. */
const BEYOND_WASM_MB_PER_SECOND = 500;
/** Samples of each; the best one counts, since a busy machine takes the core away in the middle of some. */
const SAMPLE_COUNT = 8;
const SAMPLE_BYTES = 256 * 1024;

/**
 * Which implementation is faster on this machine, by a short run. hash-wasm is loaded only where it
 * might be: that alone costs as much CPU time as hashing 60 MB natively.
 */
export async function fasterHasher(): Promise<HasherKind> {
  const native = await bestMegabytesPerSecond('native');
  if (native > BEYOND_WASM_MB_PER_SECOND) return 'native';
  return native >= (await bestMegabytesPerSecond('wasm')) ? 'native' : 'wasm';
}

async function bestMegabytesPerSecond(kind: HasherKind): Promise<number> {
  const sample = new Uint8Array(SAMPLE_BYTES);
  const hasher = await startHasher(kind);
  let bestMs = Number.POSITIVE_INFINITY;
  for (let count = 0; count < SAMPLE_COUNT; count += 1) {
    const startedAtMs = performance.now();
    hasher.update(sample);
    bestMs = Math.min(bestMs, performance.now() - startedAtMs);
  }
  hasher.release();
  return SAMPLE_BYTES / 1000 / bestMs;
}
