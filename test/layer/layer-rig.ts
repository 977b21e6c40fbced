/** A layer's upload with a model of everything around it, under a clock that the test moves. */

import pLimit from 'p-limit';
import { afterEach, beforeEach, expect, vi } from 'vitest';
import { CompletedLayers } from '../../src/layer/completed-layers.ts';
import { EventSink } from '../../src/layer/event-sink.ts';
import type { LayerEvent } from '../../src/layer/layer-events.ts';
import { LayerProgress } from '../../src/layer/layer-progress.ts';
import { LayerUpload } from '../../src/layer/layer-upload.ts';
import { PartMemory } from '../../src/layer/part-memory.ts';
import { SingleFlight } from '../../src/layer/single-flight.ts';
import type { LayerOrder, LayerUploadContext } from '../../src/layer/upload-context.ts';
import { MIB } from '../../src/limits.ts';
import { ModelRegistry, REPOSITORY } from './model-registry.ts';
import type { ModelSource } from './model-source.ts';
import { ModelWorkshop } from './model-workshop.ts';

/** The clock stands still but for what a test lets pass; at its end no timer may be left. */
export function withClock(): void {
  beforeEach(() => {
    vi.useFakeTimers();
    // Not at the beginning of time, where many things are alike.
    vi.advanceTimersByTime(1_000);
  });
  afterEach(() => {
    const left = vi.getTimerCount();
    vi.useRealTimers();
    if (left > 0) throw new Error(`${left} timers are left`);
  });
}

/** Lets time pass until `work` has settled, a minute at most. @returns what it came to */
export async function finish<T>(work: Promise<T>, stepMs = 5, msMax = 60_000): Promise<T> {
  let isSettled = false;
  const note = (): void => {
    isSettled = true;
  };
  work.then(note, note);
  for (let passedMs = 0; passedMs <= msMax; passedMs += stepMs) {
    await vi.advanceTimersByTimeAsync(passedMs === 0 ? 0 : stepMs);
    if (isSettled) return work;
  }
  throw new Error('it stands still');
}

/** What it is rejected with, once time has passed. */
export async function failureOf(work: Promise<unknown>): Promise<unknown> {
  return finish(
    work.then(
      (value) => {
        throw new Error(`expected a failure, got ${JSON.stringify(value)}`);
      },
      (error: unknown) => error,
    ),
  );
}

/** An event of that kind. */
export type EventOf<Type extends LayerEvent['type']> = Extract<LayerEvent, { type: Type }>;

/** All the memory there is. */
const MEMORY_BYTES: number = 100 * MIB;

export interface LayerRig {
  readonly registry: ModelRegistry;
  readonly workshop: ModelWorkshop;
  readonly context: LayerUploadContext;
  readonly events: LayerEvent[];
  readonly progress: LayerProgress;
  readonly totals: { acceptedBytes: number; resentBytes: number };
  readonly abort: AbortController;
  upload(source: ModelSource, order?: Partial<LayerOrder>): ReturnType<LayerUpload['run']>;
  eventsOf<Type extends LayerEvent['type']>(type: Type): EventOf<Type>[];
}

export function layerRig(options: Partial<LayerUploadContext> = {}): LayerRig {
  const registry = new ModelRegistry();
  const workshop = new ModelWorkshop();
  const context: LayerUploadContext = {
    registry,
    workshop,
    framePart: () => ({ prefix: '', suffix: '' }),
    memory: new PartMemory(MEMORY_BYTES, MEMORY_BYTES),
    partPermits: pLimit(20),
    flights: new SingleFlight(),
    completed: new CompletedLayers(),
    partsInFlight: 4,
    partSizeBytes: 5 * MIB,
    tailHoldMs: 1_000,
    retry: { attemptsMax: 3, delayMs: 10, delayMsMax: 10 },
    timeouts: { connectTimeoutMs: 1_000, stallTimeoutMs: 1_000, replyTimeoutMs: 1_000 },
    sourceTimeoutMs: 2_000,
    createRepository: false,
    journals: undefined,
    ...options,
  };
  const events: LayerEvent[] = [];
  const totals = { acceptedBytes: 0, resentBytes: 0 };
  const name = { repository: REPOSITORY, source: 'the layer', layerId: 1 };
  const sink = new EventSink<LayerEvent>((event) => void events.push(event));
  const progress = new LayerProgress(name, totals, sink);
  const abort = new AbortController();
  return {
    registry,
    workshop,
    context,
    events,
    progress,
    totals,
    abort,
    upload: (source, order = {}) =>
      new LayerUpload(
        context,
        {
          repository: REPOSITORY,
          source,
          expectedDigest: undefined,
          presence: 'ask',
          ...order,
        },
        progress,
        abort.signal,
      ).run(),
    eventsOf: <Type extends LayerEvent['type']>(type: Type) =>
      events.filter((event): event is EventOf<Type> => event.type === type),
  };
}

/** Nothing is kept: no memory, no permit, no digest, and every source is closed. */
export async function expectAllGivenBack(rig: LayerRig, ...sources: ModelSource[]): Promise<void> {
  const { memory, partPermits } = rig.context;
  await vi.advanceTimersByTimeAsync(0);
  expect(partPermits.activeCount + partPermits.pendingCount).toBe(0);
  expect(rig.workshop.openCount).toBe(0);
  for (const { counts } of sources) expect(counts.closed).toBe(counts.opened);
  // All of it can be had in one piece.
  const all = await memory.acquire(MEMORY_BYTES, 1, new AbortController().signal);
  memory.release(all);
}
