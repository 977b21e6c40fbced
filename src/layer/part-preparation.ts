/** Turns the next range of a source into a part that is ready to be sent. */

import type { LimitFunction } from 'p-limit';
import { MIB } from '../limits.ts';
import { type PartMemory, partMemoryBytes, stagingArea } from './part-memory.ts';
import type { PartPlan } from './part-plan.ts';
import { takePermit } from './permit.ts';
import type { ByteRange, FramePart, LayerHash, PreparedPart, UploadTarget } from './ports.ts';
import { sourceChanged } from './source-errors.ts';
import type { WaitingFor } from './stall-watch.ts';
import type { WatchedSource } from './watched-source.ts';

export interface PartPreparationOptions {
  readonly target: UploadTarget;
  readonly plan: PartPlan;
  readonly source: WatchedSource;
  readonly sourceLabel: string;
  readonly hash: LayerHash;
  readonly framePart: FramePart;
  readonly memory: PartMemory;
  /** Bounds the parts of all layers together. */
  readonly partPermits: LimitFunction;
}

/** A prepared part, and what must be called once when nobody needs it any more. */
export interface ReadyPart {
  readonly prepared: PreparedPart;
  /** Gives memory and permit back. */
  readonly release: () => void;
}

/** Layers of at most so many bytes get their memory before larger ones: configs, above all. */
const TINY_LAYER_BYTES: number = MIB;
/** Memory steps for layers of a single small part. */
const SMALL_PART_BYTES = 64 * 1024;
const SMALL_PART_STEP = 4;

/**
 * Called for the parts of a layer in order. Resolves with nothing at the end of the data.
 * @param onWait told what is waited for next
 */
export async function preparePart(
  options: PartPreparationOptions,
  range: ByteRange,
  stop: AbortSignal,
  onWait: (waitingFor: WaitingFor) => void = () => undefined,
): Promise<ReadyPart | undefined> {
  const { memory, source, hash, framePart, target } = options;
  onWait('turn');
  // Always in this order, permit then memory, so that no two parts wait for each other.
  const givePermitBack = await takePermit(options.partPermits, stop);
  let shared: SharedArrayBuffer | undefined;
  let endPreparation: (() => void) | undefined;
  const release = (): void => {
    if (shared !== undefined) memory.release(shared);
    givePermitBack();
  };
  try {
    const remainingBytes = remainingOf(source, range);
    onWait('memory');
    shared = await memory.acquire(memoryFor(range, options.plan), remainingBytes, stop);
    const plannedBytes = range.endByte - range.firstByte;
    onWait('source');
    const lengthBytes =
      source.path === undefined ? await stage(options, shared, range, stop) : plannedBytes;
    if (lengthBytes === 0) {
      release();
      return undefined;
    }
    const actual = { firstByte: range.firstByte, endByte: range.firstByte + lengthBytes };
    onWait('preparation');
    // Not before: a source that gives nothing keeps no thread busy.
    endPreparation = memory.beginPreparation();
    const prepared = await hash.preparePart(
      shared,
      actual,
      source.path === undefined
        ? { kind: 'staged', offsetBytes: shared.byteLength - plannedBytes }
        : { kind: 'file', path: source.path, offsetBytes: source.pathOffsetBytes ?? 0 },
      framePart(target, actual),
    );
    stop.throwIfAborted();
    return { prepared, release };
  } catch (error) {
    // A source that hears no abort may still write to the memory.
    void source.idle.then(release);
    throw error;
  } finally {
    endPreparation?.();
  }
}

/** A source of known size that passes the main thread must end where it said it would. */
export async function assertSourceEnds(
  source: WatchedSource,
  label: string,
  sizeBytes: number,
  stop: AbortSignal,
): Promise<void> {
  if (source.path === undefined && source.sizeBytes !== undefined) {
    const surplus = await source.read(new Uint8Array(1), sizeBytes, stop);
    if (surplus > 0) throw sourceChanged(label, source.sizeBytes, sizeBytes + surplus);
  }
  await source.assertUnchanged();
}

/**
 * What decides on the turn for memory. A tiny layer goes first: it takes little, and not for long, and may
 * be all that its image waits for.
 */
function remainingOf({ sizeBytes }: WatchedSource, { firstByte }: ByteRange): number {
  if (sizeBytes === undefined || sizeBytes <= TINY_LAYER_BYTES) return Number.POSITIVE_INFINITY;
  return sizeBytes - firstByte;
}

async function stage(
  { source, sourceLabel }: PartPreparationOptions,
  shared: SharedArrayBuffer,
  range: ByteRange,
  stop: AbortSignal,
): Promise<number> {
  const area = stagingArea(shared, range.endByte - range.firstByte);
  const lengthBytes = await source.read(area, range.firstByte, stop);
  if (source.sizeBytes !== undefined && lengthBytes < area.length) {
    throw sourceChanged(sourceLabel, source.sizeBytes, range.firstByte + lengthBytes);
  }
  return lengthBytes;
}

/**
 * One size for all parts of a layer, so that memory is used again; small layers take one of a few
 * sizes for the same reason.
 */
function memoryFor(range: ByteRange, plan: PartPlan): number {
  const lengthBytes = range.endByte - range.firstByte;
  if (lengthBytes >= plan.partSizeBytes) return partMemoryBytes(lengthBytes);
  if (plan.partCount !== 1) return partMemoryBytes(plan.partSizeBytes);
  let step = SMALL_PART_BYTES;
  while (step < lengthBytes) step *= SMALL_PART_STEP;
  return partMemoryBytes(Math.min(step, plan.partSizeBytes));
}
