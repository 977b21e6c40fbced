/** The stations that a layer passes, wired: those that serve any registry, and those of one. */

import pLimit, { type LimitFunction } from 'p-limit';
import { type CallTally, EcrCaller } from '../ecr/ecr-caller.ts';
import { EcrRegistry, type NewRepository } from '../ecr/ecr-registry.ts';
import { partFraming } from '../ecr/part-framing.ts';
import { type HttpHandler, RequestHandler } from '../ecr/request-handler.ts';
import { CompletedLayers } from '../layer/completed-layers.ts';
import { LayerQueue } from '../layer/layer-queue.ts';
import { PartMemory } from '../layer/part-memory.ts';
import { SingleFlight } from '../layer/single-flight.ts';
import { WorkerPool } from '../pool/worker-pool.ts';
import { Workshop } from '../pool/workshop.ts';
import type { ImageStationParts } from './image-station.ts';
import { journalsOf } from './journal-option.ts';
import { connectionOf, type ResolvedUploaderOptions } from './uploader-options.ts';

/**
 * What may serve several registries at once.
 *
 * That ends well, since permits are still taken in one order: a layer's, of its registry's queue; a
 * part's, of all; memory, of all. Who waits for memory waits for parts that have theirs and need only
 * their source's bytes and their registry's answer; each of those waits is bounded. The largest remaining layer goes first,
 * to whichever registry, and nobody is passed over for ever. What a registry that has fallen silent
 * holds, it holds until its time-outs and attempts are used up: the others are slower until then.
 */
export interface SharedStations {
  readonly pool: WorkerPool;
  readonly workshop: Workshop;
  readonly memory: PartMemory;
  readonly partPermits: LimitFunction;
}

/** What belongs to one registry: its rates, its layers, what it is known to have. */
export interface RegistryStations {
  readonly caller: EcrCaller;
  readonly layers: LayerQueue;
  readonly images: ImageStationParts;
}

export function openSharedStations(options: ResolvedUploaderOptions): SharedStations {
  const pool = new WorkerPool(options.workersMax, options.workerUrl);
  return {
    pool,
    workshop: new Workshop(pool, options.hasher),
    memory: new PartMemory(options.bytesInMemoryMax),
    partPermits: pLimit(options.partsInFlightTotal),
  };
}

export function openRegistryStations(
  options: ResolvedUploaderOptions,
  { workshop, memory, partPermits }: SharedStations,
): RegistryStations {
  const caller = createCaller(options, workshop);
  const registryOf = (
    settings: NewRepository = options.createRepository,
    tally?: CallTally,
  ): EcrRegistry => new EcrRegistry(caller, settings, tally);
  const retry = {
    attemptsMax: options.attemptsMax,
    delayMs: options.retryDelayMs,
    delayMsMax: options.retryDelayMsMax,
  };
  const layers = new LayerQueue(
    {
      registry: registryOf(),
      workshop,
      framePart: partFraming(options.registryId),
      memory,
      partPermits,
      flights: new SingleFlight(),
      completed: new CompletedLayers(),
      partsInFlight: options.partsInFlight,
      partSizeBytes: options.partSizeBytes,
      tailHoldMs: options.tailHoldMs,
      retry,
      timeouts: options,
      sourceTimeoutMs: options.sourceTimeoutMs,
      createRepository: options.createRepository !== false,
      journals: journalsOf(options),
    },
    options.layersInFlight,
  );
  return { caller, layers, images: { options, retry, caller, registryOf, workshop, layers } };
}

function createCaller(options: ResolvedUploaderOptions, workshop: Workshop): EcrCaller {
  const { client, region, endpoint } = options;
  const custom = client.requestHandler;
  return new EcrCaller({
    client: {
      ...client,
      ...(region !== undefined && { region }),
      ...(endpoint !== undefined && { endpoint }),
    },
    registryId: options.registryId,
    callsPerSecondMax: options.callsPerSecondMax,
    requestHandler: new RequestHandler(workshop, {
      proxy: options.proxy,
      connection: connectionOf(options),
      custom: custom !== undefined && 'handle' in custom ? (custom as HttpHandler) : undefined,
      customOptions: custom !== undefined && !('handle' in custom) ? custom : {},
    }),
  });
}
