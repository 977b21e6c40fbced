/** What a soak does, drawn from its seed: the same seed gives the same uploads, options and faults. */

import type { FaultRule } from '../../src/emulator/index.ts';
import type { UploaderOptions } from '../../src/index.ts';
import { KIB, MIB } from '../../src/limits.ts';
import { RandomSource } from './random-source.ts';

export interface SoakUpload {
  readonly sizeBytes: number;
  /** Where in the common bytes the layer begins. */
  readonly offsetBytes: number;
  readonly source: 'bytes' | 'stream' | 'pushing-stream' | 'random-access' | 'file';
  readonly checkFirst: boolean;
  readonly isDigestKnown: boolean;
  /** Aborts at the so-many-th event, or after so many milliseconds. */
  readonly abort: { readonly atEvent: number } | { readonly afterMs: number } | undefined;
}

/** The life of one uploader. */
export interface SoakRound {
  readonly options: UploaderOptions;
  readonly uploads: readonly SoakUpload[];
  /** Ended in the middle of its work, rather than when it is done. */
  readonly isDestroyed: boolean;
}

/** Every round has these, so that rounds can be compared; each is varied by a fifth. */
const SIZES = [1, 40, 300, 900, 2000, 5120, 5121, 7000, 11_000, 16_000, 23_000, 31_000].map(
  (kib) => kib * KIB,
);

/** Bytes of which every layer is a piece. */
export const COMMON_BYTES: number = 64 * MIB;

export function planRound(seed: number, roundIndex: number): SoakRound {
  const random = new RandomSource(seed + roundIndex * 7919);
  return {
    isDestroyed: random.next() < 0.2,
    options: {
      hasher: random.pick(['native', 'wasm']),
      workersMax: 2,
      layersInFlight: random.between(1, 8),
      partsInFlight: random.pick([1, 3, 16]),
      partsInFlightTotal: random.pick([2, 64]),
      partSizeBytes: random.pick([5 * MIB, 7 * MIB, 10 * MIB]),
      bytesInMemoryMax: random.pick([32, 64, 96]) * MIB,
      attemptsMax: 8,
      retryDelayMs: 5,
      retryDelayMsMax: 100,
      replyTimeoutMs: 1500,
      stallTimeoutMs: 1500,
      connectTimeoutMs: 5000,
      tailHoldMs: random.pick([300, 15_000]),
      proxy: 'none',
    },
    uploads: SIZES.map((size) => planUpload(random, Math.ceil(size * (0.8 + random.next() * 0.4)))),
  };
}

/** Faults of all kinds; none so frequent that nothing comes through. */
export function planFaults(): FaultRule[] {
  const failure = { kind: 'fail', exception: 'ServerException', httpStatus: 500 } as const;
  return [
    { operation: 'UploadLayerPart', probability: 0.02, action: failure },
    { operation: 'UploadLayerPart', probability: 0.02, action: { kind: 'lose-reply' } },
    { operation: 'UploadLayerPart', probability: 0.01, action: { kind: 'reset' } },
    {
      operation: 'UploadLayerPart',
      probability: 0.01,
      action: { kind: 'cut-body', afterBytes: MIB },
    },
    { operation: 'UploadLayerPart', probability: 0.005, action: { kind: 'stall' } },
    { operation: 'UploadLayerPart', probability: 0.005, action: { kind: 'forget-upload' } },
    {
      operation: 'UploadLayerPart',
      probability: 0.01,
      action: { kind: 'garbage', form: 'cut-json' },
    },
    { operation: 'UploadLayerPart', probability: 0.05, action: { kind: 'delay', delayMs: 60 } },
    { operation: '*', probability: 0.01, action: { kind: 'throttle', durationMs: 20 } },
    { operation: '*', probability: 0.01, action: failure },
    { operation: 'CompleteLayerUpload', probability: 0.03, action: { kind: 'lose-reply' } },
    { operation: 'InitiateLayerUpload', probability: 0.02, action: { kind: 'lose-reply' } },
  ];
}

function planUpload(random: RandomSource, sizeBytes: number): SoakUpload {
  const aborts = [
    undefined,
    undefined,
    undefined,
    { atEvent: random.between(1, 8) },
    { afterMs: random.between(0, 400) },
  ] as const;
  return {
    sizeBytes,
    offsetBytes: random.between(0, COMMON_BYTES - sizeBytes),
    source: random.pick(['bytes', 'stream', 'pushing-stream', 'random-access', 'file']),
    checkFirst: random.next() < 0.7,
    isDigestKnown: random.next() < 0.5,
    abort: random.pick(aborts),
  };
}
