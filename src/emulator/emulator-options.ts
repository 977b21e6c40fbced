/** What `startEmulator` takes, and what it makes of it. */

import { PART_SIZE_MAX_BYTES, PART_SIZE_REPORTED_BYTES } from '../limits.ts';
import { UPLOAD_EXPIRY_MS } from './emulator-limits.ts';
import type { FaultRule } from './fault-rule.ts';
import type { NetworkOptions } from './network-model.ts';
import type { Quotas } from './quotas.ts';
import type { EmulatorCredentials } from './signature.ts';

/** Options of `startEmulator`. Everything is optional; the defaults are as strict as ECR. */
export interface EmulatorOptions {
  /** Address to listen on. Default 127.0.0.1: only this machine reaches the emulator. */
  readonly host?: string;
  /** Default 0: any free port. */
  readonly port?: number;
  /** Default us-east-1. A signature must be scoped to it. */
  readonly region?: string;
  /** Twelve digits. Default 123456789012. Any other `registryId` in a request is not found. */
  readonly registryId?: string;
  /** The one key pair that is accepted. Default: well-known test keys, see `Emulator.credentials`. */
  readonly credentials?: EmulatorCredentials;
  /**
   * Where layers, images and open uploads are kept, content-addressed. They survive a restart and a
   * killed process (not a power cut: nothing is synced). Default: memory, up to 8 GiB.
   */
  readonly dataDirectory?: string;
  /**
   * For measuring clients: order, sizes and the head's signature are checked, but part bodies are
   * neither decoded, hashed nor kept, and `CompleteLayerUpload` believes the digest. Default false.
   */
  readonly discard?: boolean;
  /** PEM key and certificate: serve HTTPS. Default: HTTP. */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** What `InitiateLayerUpload` reports as `partSize`. Default 10 MiB (M-H). */
  readonly partSizeBytes?: number;
  /** Largest part taken. Default 20 MiB (model, H); the quotas page says 10 MiB. */
  readonly partSizeMaxBytes?: number;
  /** Default true, as ECR (H). False takes parts in any order, as some other emulators do. */
  readonly requireConsecutiveParts?: boolean;
  /** Default true. False takes requests with any signature or password, or none. */
  readonly verifySignatures?: boolean;
  /**
   * How `/v2/` answers chunks. Default 'ecr': 201 with a `Range` that stays at the first chunk, and
   * 404 to whoever asks for the state of an upload (section "chunks" of the README, H-M).
   * 'specification': 202, a `Range` that grows, and 204.
   */
  readonly chunkReplies?: 'ecr' | 'specification';
  /**
   * What a push through `/v2/` meets where there is no repository. Default 'name-unknown': 404 with
   * ECR's text. 'drop': the connection breaks, as some clients report of ECR. 'create': the
   * repository is created, as with a creation template for create-on-push.
   */
  readonly missingRepository?: 'name-unknown' | 'drop' | 'create';
  /** Requests per second. Default 'off'; 'ecr' is the published default of an account. */
  readonly quotas?: Quotas;
  /** Latency, bandwidth and service times. Default: as fast as the machine. */
  readonly network?: NetworkOptions;
  /** Milliseconds until `PutImage` sees a completed layer. Default 0; ECR lags 0-500 (M). */
  readonly putImageLagMs?: number;
  /** Age at which an open upload is forgotten. Default 12 hours; ECR's value is not known. */
  readonly uploadExpiryMs?: number;
  /** Seed of jitter and of faults with a probability. Default 1. */
  readonly seed?: number;
  /** The server's clock, milliseconds since the epoch. Default `Date.now`. */
  readonly clock?: () => number;
  /** Faults in force from the start. */
  readonly faults?: readonly FaultRule[];
}

export interface ResolvedEmulatorOptions {
  readonly host: string;
  readonly port: number;
  readonly region: string;
  readonly registryId: string;
  readonly credentials: EmulatorCredentials;
  readonly dataDirectory: string | undefined;
  readonly discard: boolean;
  readonly tls: { readonly key: string; readonly cert: string } | undefined;
  readonly partSizeBytes: number;
  readonly partSizeMaxBytes: number;
  readonly requireConsecutiveParts: boolean;
  readonly verifySignatures: boolean;
  readonly chunkReplies: 'ecr' | 'specification';
  readonly missingRepository: 'name-unknown' | 'drop' | 'create';
  readonly quotas: Quotas;
  readonly network: NetworkOptions;
  readonly putImageLagMs: number;
  readonly uploadExpiryMs: number;
  readonly seed: number;
  readonly clock: () => number;
  readonly faults: readonly FaultRule[];
}

/** Accepted when no other credentials are given. Known to everyone: no secret. */
const TEST_CREDENTIALS: EmulatorCredentials = {
  accessKeyId: 'AKIDEMULATOR00000000',
  secretAccessKey: 'emulator-secret-key-known-to-everyone000',
};

/** Fills in the defaults and refuses what makes no sense. */
export function resolveEmulatorOptions(options: EmulatorOptions): ResolvedEmulatorOptions {
  const registryId = options.registryId ?? '123456789012';
  if (!/^[0-9]{12}$/.test(registryId)) {
    throw new RangeError(`registryId: expected 12 digits, received ${registryId}`);
  }
  if (options.discard === true && options.dataDirectory !== undefined) {
    throw new RangeError('discard keeps nothing: it cannot be combined with dataDirectory');
  }
  return Object.freeze({
    host: options.host ?? '127.0.0.1',
    port: integer('port', options.port ?? 0, 0, 65_535),
    region: options.region ?? 'us-east-1',
    registryId,
    credentials: options.credentials ?? TEST_CREDENTIALS,
    dataDirectory: options.dataDirectory,
    discard: options.discard ?? false,
    tls: options.tls,
    partSizeBytes: integer('partSizeBytes', options.partSizeBytes ?? PART_SIZE_REPORTED_BYTES, 1),
    partSizeMaxBytes: integer(
      'partSizeMaxBytes',
      options.partSizeMaxBytes ?? PART_SIZE_MAX_BYTES,
      1,
      PART_SIZE_MAX_BYTES,
    ),
    requireConsecutiveParts: options.requireConsecutiveParts ?? true,
    verifySignatures: options.verifySignatures ?? true,
    chunkReplies: options.chunkReplies ?? 'ecr',
    missingRepository: options.missingRepository ?? 'name-unknown',
    quotas: options.quotas ?? 'off',
    network: options.network ?? {},
    putImageLagMs: integer('putImageLagMs', options.putImageLagMs ?? 0, 0),
    uploadExpiryMs: integer('uploadExpiryMs', options.uploadExpiryMs ?? UPLOAD_EXPIRY_MS, 1),
    seed: integer('seed', options.seed ?? 1, 0),
    clock: options.clock ?? Date.now,
    faults: options.faults ?? [],
  });
}

function integer(
  name: string,
  value: number,
  min: number,
  max: number = Number.MAX_SAFE_INTEGER,
): number {
  if (Number.isSafeInteger(value) && value >= min && value <= max) return value;
  throw new RangeError(`${name}: expected an integer ${min}..${max}, received ${value}`);
}
