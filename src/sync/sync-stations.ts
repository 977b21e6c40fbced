/** What a sync works with, opened at its beginning and closed at its end. */

import { openTargets, type TargetGroup } from '../uploader/target-group.ts';
import type { UploaderOptions } from '../uploader/uploader-options.ts';
import { checkSyncConfig } from './config-check.ts';
import { Destination } from './destination.ts';
import { DigestCache } from './digest-cache.ts';
import { RegistrySources } from './registry-sources.ts';
import { SharedReads } from './joint-read.ts';
import type { SyncConfig, TargetSettings } from './sync-config.ts';
import { imagesInFlightOf, type SyncOptions } from './sync-options.ts';
import { WantedTags } from './wanted-tags.ts';

/** Layers of all images at once: many are small, and large ones must not keep them waiting. */
const LAYERS_IN_FLIGHT = 64;
/** So that those which wait for memory do not keep small ones from the wire. */
const PARTS_IN_FLIGHT_TOTAL = 256;

export interface SyncStations {
  readonly sources: RegistrySources;
  readonly destinations: ReadonlyMap<string, Destination>;
  readonly digests: DigestCache;
  readonly reads: SharedReads;
  readonly wanted: WantedTags | undefined;
  readonly imagesInFlight: number;
  /** Finishes what runs. */
  close(): Promise<void>;
  /** Breaks off what runs. */
  destroy(reason: unknown): Promise<void>;
}

/** @throws LongshoreError E_OPTION_INVALID */
export async function openSync(
  config: SyncConfig,
  options: SyncOptions,
  onPause: (registry: string, resumesInMs: number, message: string) => void = () => undefined,
): Promise<SyncStations> {
  const imagesInFlight = imagesInFlightOf(options);
  checkSyncConfig(config);
  const wanted = options.onlyFailed && new WantedTags(options.onlyFailed);
  const { registries, targets } = config;
  const { credentials, environment, cacheDirectory, uploader } = options;
  const group: TargetGroup = openTargets(
    Object.fromEntries(
      Object.entries(targets).map(([name, settings]) => [name, targetOptions(settings)]),
    ),
    { layersInFlight: LAYERS_IN_FLIGHT, partsInFlightTotal: PARTS_IN_FLIGHT_TOTAL, ...uploader },
  );
  const sources = new RegistrySources({
    ...(registries !== undefined && { registries }),
    ...(credentials !== undefined && { credentials }),
    ...(environment !== undefined && { environment }),
    onPause: ({ registry, resumesInMs, message }) => onPause(registry, resumesInMs, message),
  });
  const digests = await DigestCache.open(cacheDirectory);
  const destinations = new Map(
    [...group.targets].map(([name, target]) => [name, new Destination(target)] as const),
  );
  const end = async (closeTargets: () => Promise<void>): Promise<void> => {
    try {
      await digests.flush();
      await closeTargets();
    } finally {
      await sources.close();
    }
  };
  return {
    sources,
    destinations,
    digests,
    reads: new SharedReads(),
    wanted,
    imagesInFlight,
    close: () => end(() => group.close()),
    destroy: (reason) => end(() => group.destroy(reason)),
  };
}

function targetOptions(settings: TargetSettings): UploaderOptions {
  const { profile, region, registryId, endpoint, callsPerSecondMax } = settings;
  return {
    ...(region !== undefined && { region }),
    ...(registryId !== undefined && { registryId }),
    ...(endpoint !== undefined && { endpoint }),
    ...(callsPerSecondMax !== undefined && { callsPerSecondMax }),
    ...(profile !== undefined && { client: { profile } }),
  };
}
