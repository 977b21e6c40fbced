/** The flags of `longshore emulator`, as options of the emulator. */

import { readFileSync } from 'node:fs';
import type { EmulatorOptions, NetworkOptions } from '../emulator/index.ts';
import { UsageError } from './usage-error.ts';

const BYTES_PER_MEGABYTE = 1_000_000;

/** As commander delivers them. */
export interface EmulatorFlags {
  readonly port?: number;
  readonly host?: string;
  readonly data?: string;
  readonly region?: string;
  readonly registryId?: string;
  readonly partSizeMax?: number;
  readonly quotas?: boolean;
  readonly roundTrip?: number;
  readonly serviceTime?: number;
  /** MB/s of all connections together, and of each one. */
  readonly bandwidth?: number;
  readonly connectionBandwidth?: number;
  readonly discard?: boolean;
  readonly tlsKey?: string;
  readonly tlsCert?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly untilStdinCloses?: boolean;
  readonly debug?: boolean;
}

/** Leaves out what was not given: defaults belong to the emulator alone. */
export function emulatorOptionsOf(flags: EmulatorFlags): EmulatorOptions {
  if ((flags.tlsKey === undefined) !== (flags.tlsCert === undefined)) {
    throw new UsageError('--tls-key and --tls-cert belong together');
  }
  if (flags.discard === true && flags.data !== undefined) {
    throw new UsageError('--discard keeps nothing, so --data makes no sense with it');
  }
  return {
    ...(flags.port !== undefined && { port: flags.port }),
    ...(flags.host !== undefined && { host: flags.host }),
    ...(flags.data !== undefined && { dataDirectory: flags.data }),
    ...(flags.region !== undefined && { region: flags.region }),
    ...(flags.registryId !== undefined && { registryId: flags.registryId }),
    ...(flags.partSizeMax !== undefined && { partSizeMaxBytes: flags.partSizeMax }),
    ...(flags.quotas === true && { quotas: 'ecr' as const }),
    ...(flags.discard === true && { discard: true }),
    ...(flags.tlsKey !== undefined &&
      flags.tlsCert !== undefined && {
        tls: {
          key: readPem('--tls-key', flags.tlsKey),
          cert: readPem('--tls-cert', flags.tlsCert),
        },
      }),
    network: networkOf(flags),
  };
}

function networkOf(flags: EmulatorFlags): NetworkOptions {
  return {
    ...(flags.roundTrip !== undefined && { roundTripMs: flags.roundTrip }),
    ...(flags.serviceTime !== undefined && {
      serviceTimeMs: { UploadLayerPart: flags.serviceTime },
    }),
    ...(flags.bandwidth !== undefined && {
      bytesPerSecondTotal: flags.bandwidth * BYTES_PER_MEGABYTE,
    }),
    ...(flags.connectionBandwidth !== undefined && {
      bytesPerSecondPerConnection: flags.connectionBandwidth * BYTES_PER_MEGABYTE,
    }),
  };
}

function readPem(flag: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UsageError(`cannot read the file of ${flag}: ${reason}`);
  }
}
