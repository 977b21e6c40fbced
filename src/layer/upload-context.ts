/** What an uploader's layers have in common, and what is asked for each. */

import type { LimitFunction } from 'p-limit';
import type { Digest } from '../digest.ts';
import type { CompletedLayers } from './completed-layers.ts';
import type { LayerJournals } from './layer-journal.ts';
import type { LayerSource } from './layer-source.ts';
import type { PartMemory } from './part-memory.ts';
import type { FramePart, LayerRegistry, LayerWorkshop } from './ports.ts';
import type { RetryPolicy } from './retry.ts';
import type { StallTimeouts } from './stall-reporter.ts';
import type { SingleFlight } from './single-flight.ts';

/** What all layers of an uploader share. */
export interface LayerUploadContext {
  readonly registry: LayerRegistry;
  readonly workshop: LayerWorkshop;
  readonly framePart: FramePart;
  readonly memory: PartMemory;
  readonly partPermits: LimitFunction;
  readonly flights: SingleFlight;
  readonly completed: CompletedLayers;
  readonly partsInFlight: number;
  readonly partSizeBytes: number | undefined;
  readonly tailHoldMs: number;
  readonly retry: RetryPolicy;
  readonly timeouts: StallTimeouts;
  /** Longest time in which a source may give nothing. */
  readonly sourceTimeoutMs: number;
  readonly createRepository: boolean;
  /** Where what survives a crash is kept, if anywhere. */
  readonly journals: LayerJournals | undefined;
}

export interface LayerOrder {
  readonly repository: string;
  readonly source: LayerSource;
  readonly expectedDigest: Digest | undefined;
  /**
   * How to find out beforehand whether ECR has the layer: ask it, not at all, or, where it was asked
   * already, by what this uploader has completed since (`CompletedLayers.mark`).
   */
  readonly presence: 'ask' | 'ignore' | { readonly completedSince: number };
}
