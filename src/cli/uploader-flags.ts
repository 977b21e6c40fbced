/** The flags that every uploading command has, as options of the library. */

import { readFileSync } from 'node:fs';
import type { UploaderOptions } from '../index.ts';
import { UsageError } from './usage-error.ts';

/** As commander delivers them. */
export interface UploaderFlags {
  readonly region?: string;
  readonly endpointUrl?: string;
  readonly registryId?: string;
  readonly createRepository?: boolean;
  readonly partSize?: number;
  readonly partsInFlight?: number;
  readonly partsInFlightTotal?: number;
  readonly layersInFlight?: number;
  readonly memory?: number;
  readonly hasher?: 'auto' | 'wasm' | 'native';
  readonly workers?: number;
  readonly attempts?: number;
  readonly caFile?: string;
  /** Seconds. */
  readonly sourceTimeout?: number;
}

/** As commander delivers them. */
export interface OutputFlags {
  /** False after `--no-progress`. */
  readonly progress: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly debug?: boolean;
}

/** Leaves out what was not given: defaults belong to the library alone. */
export function uploaderOptionsOf(flags: UploaderFlags): UploaderOptions {
  return {
    ...(flags.region !== undefined && { region: flags.region }),
    ...(flags.endpointUrl !== undefined && { endpoint: flags.endpointUrl }),
    ...(flags.registryId !== undefined && { registryId: flags.registryId }),
    ...(flags.createRepository !== undefined && { createRepository: flags.createRepository }),
    ...(flags.partSize !== undefined && { partSizeBytes: flags.partSize }),
    ...(flags.partsInFlight !== undefined && { partsInFlight: flags.partsInFlight }),
    ...(flags.partsInFlightTotal !== undefined && {
      partsInFlightTotal: flags.partsInFlightTotal,
    }),
    ...(flags.layersInFlight !== undefined && { layersInFlight: flags.layersInFlight }),
    ...(flags.memory !== undefined && { bytesInMemoryMax: flags.memory }),
    ...(flags.hasher !== undefined && { hasher: flags.hasher }),
    ...(flags.workers !== undefined && { workersMax: flags.workers }),
    ...(flags.attempts !== undefined && { attemptsMax: flags.attempts }),
    ...(flags.sourceTimeout !== undefined && { sourceTimeoutMs: flags.sourceTimeout * 1000 }),
    ...(flags.caFile !== undefined && {
      certificateAuthorities: readCertificates('--ca-file', flags.caFile),
    }),
  };
}

/** @param flag the option that names the file */
export function readCertificates(flag: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UsageError(`cannot read the file of ${flag}: ${reason}`);
  }
}
