/** The uploader's options: read, checked and filled in at one place, before anything is started. */

import { readFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import type { ECRClientConfig } from '@aws-sdk/client-ecr';
import type { CallsPerSecond } from '../ecr/call-quota.ts';
import { optionInvalid } from '../errors.ts';
import type { RepositorySettings } from '../image/repository-settings.ts';
import type { ConnectionSettings } from '../layer/part-transmitter.ts';
import { GIB, MIB, PART_SIZE_MAX_BYTES, PART_SIZE_MIN_BYTES } from '../limits.ts';
import { withExtraAuthorities } from '../network/extra-authorities.ts';
import { resolveCallsPerSecond } from './call-rate-option.ts';
import { resolveResumeDirectory } from './journal-option.ts';

export type { RepositorySettings } from '../image/repository-settings.ts';

/** Options of {@link createUploader}. Every field is optional. */
export interface UploaderOptions {
  /** AWS region. Default: the AWS settings chain (`AWS_REGION`, profile). */
  readonly region?: string;
  /** ECR endpoint. Default: the AWS settings chain (`AWS_ENDPOINT_URL_ECR`, profile), else AWS's. */
  readonly endpoint?: string;
  /**
   * Settings for the AWS client: credentials, FIPS, dual-stack, logger, ...
   * Retry settings are ignored: there is one retry loop, longshore's.
   * A `requestHandler` serves all calls but `UploadLayerPart`, which the workers send themselves.
   */
  readonly client?: ECRClientConfig;
  /** 12 digits. Default: the registry of the credentials. */
  readonly registryId?: string;
  /** Creates a missing repository, with these settings or ECR's defaults. Default false. */
  readonly createRepository?: boolean | RepositorySettings;
  /**
   * SHA-256 by `native` node:crypto, by portable `wasm` whose state can move between threads,
   * or by what `auto` measures to be faster on this machine. Default `auto`. With a `resumeDirectory`,
   * streams of known digest that can be read only once are hashed by `wasm`, to be resumed by its state.
   */
  readonly hasher?: 'auto' | 'wasm' | 'native';
  /** Worker threads, 1..64. Default: cores, at most 4. */
  readonly workersMax?: number;
  /** The compiled worker file, for programs that bundle longshore. Default: found beside this file. */
  readonly workerUrl?: URL | string;
  /**
   * Layers uploaded side by side, 1..256. Beside them as many, at most 16, of an image's layers and configs
   * that have at most 5 MiB. Default 16.
   */
  readonly layersInFlight?: number;
  /**
   * Most parts of one layer on the wire at once, 1..64; 1 is the classic way. Within it the window
   * begins at 6 and adapts to the line. Default 16.
   */
  readonly partsInFlight?: number;
  /** Parts of all layers under way at once, 1..1024; memory is the tighter bound. Default 64. */
  readonly partsInFlightTotal?: number;
  /**
   * Cap on part buffers (each 4/3 of its part), at least 32 MiB. Up to 64 MiB are taken freely, more
   * only while the network is what everything waits for. Default 128 MiB.
   */
  readonly bytesInMemoryMax?: number;
  /** Part size, 5 MiB to 20 MiB. Default: what ECR's `InitiateLayerUpload` reports (10 MiB). */
  readonly partSizeBytes?: number;
  /**
   * Calls per second of an operation, this uploader's; 0.1 to 100,000, or `Infinity` to hold nothing back.
   * At most one second's calls leave at once. When ECR throttles, the operation's rate is halved and grows
   * back in ten seconds or more. Default: 80 % of ECR's default quotas, which all of an account share in a
   * region: InitiateLayerUpload 80, UploadLayerPart 400, CompleteLayerUpload 80, PutImage 8,
   * BatchCheckLayerAvailability 800, BatchGetImage 1600, GetDownloadUrlForLayer 2400.
   */
  readonly callsPerSecondMax?: Partial<CallsPerSecond>;
  /** Attempts of one call, the first included, 1..100. Default 8. */
  readonly attemptsMax?: number;
  /** Upper bound of the first back-off, which doubles from there, 1..60,000. Default 200 ms. */
  readonly retryDelayMs?: number;
  /** Upper bound of every back-off, 1..600,000. Default 10,000 ms. */
  readonly retryDelayMsMax?: number;
  /** Longest wait for a connection, TLS included, 1..600,000. Default 10,000 ms. */
  readonly connectTimeoutMs?: number;
  /**
   * Longest time in which a socket takes less than 16 KiB of a part, 1..600,000. Default 30,000 ms.
   * Half of it is how long anything may stand still before `layer-stalled` tells of it.
   */
  readonly stallTimeoutMs?: number;
  /** Longest wait for a reply after the last byte was sent, 1..600,000. Default 60,000 ms. */
  readonly replyTimeoutMs?: number;
  /**
   * Longest time in which a source gives nothing, 1..86,400,000. Default 3,600,000 ms, an hour: what
   * feeds a stream may take its time, and `layer-stalled` tells of it long before.
   */
  readonly sourceTimeoutMs?: number;
  /** Longest time a part's last bytes are held back for the part before it, 1..600,000. Default 15,000 ms. */
  readonly tailHoldMs?: number;
  /**
   * PEM certificates to trust beside Node's own. Default: the file that `AWS_CA_BUNDLE` names.
   * (`NODE_EXTRA_CA_CERTS` works by itself.)
   */
  readonly certificateAuthorities?: string;
  /**
   * Where folders are made for what an image source has to unpack or compress, and removed again.
   * Default: the system's (`TMPDIR`). Needs room for the compressed layers of a `docker save` archive.
   */
  readonly temporaryDirectory?: string;
  /**
   * Where journals are kept, by which a layer goes on where an earlier process was stopped or killed, at
   * the first byte ECR lacks. Files, and whatever has a known digest, can be resumed; a file must not
   * have changed. Only layers of several parts have a journal; it is removed when the layer is done, or
   * after 48 hours. Made if missing. Default: none, nothing is kept.
   */
  readonly resumeDirectory?: string;
  /** `environment` reads `HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`; or a proxy's URL; or `none`. Default `environment`. */
  readonly proxy?: 'environment' | 'none' | URL;
}

/** Options with every default filled in. */
export type ResolvedUploaderOptions = Readonly<Record<NumberOption, number>> &
  Required<Pick<UploaderOptions, 'hasher' | 'proxy' | 'client' | 'createRepository'>> & {
    readonly region: string | undefined;
    readonly endpoint: string | undefined;
    readonly registryId: string | undefined;
    readonly workerUrl: URL | string | undefined;
    readonly partSizeBytes: number | undefined;
    readonly certificateAuthorities: string | undefined;
    readonly temporaryDirectory: string;
    readonly resumeDirectory: string | undefined;
    readonly callsPerSecondMax: CallsPerSecond;
  };

type NumberOption =
  | 'workersMax'
  | 'layersInFlight'
  | 'partsInFlight'
  | 'partsInFlightTotal'
  | 'bytesInMemoryMax'
  | 'attemptsMax'
  | 'retryDelayMs'
  | 'retryDelayMsMax'
  | 'connectTimeoutMs'
  | 'stallTimeoutMs'
  | 'replyTimeoutMs'
  | 'sourceTimeoutMs'
  | 'tailHoldMs';

interface Range {
  readonly min: number;
  readonly max: number;
  readonly byDefault: number;
}

/** A part of the largest size must fit, or a stream of unknown length could not end. */
const BYTES_IN_MEMORY_MIN = 32 * MIB;

const RANGE: Readonly<Record<NumberOption, Range>> = {
  workersMax: { min: 1, max: 64, byDefault: Math.min(availableParallelism(), 4) },
  layersInFlight: { min: 1, max: 256, byDefault: 16 },
  partsInFlight: { min: 1, max: 64, byDefault: 16 },
  partsInFlightTotal: { min: 1, max: 1024, byDefault: 64 },
  bytesInMemoryMax: { min: BYTES_IN_MEMORY_MIN, max: 64 * GIB, byDefault: 128 * MIB },
  attemptsMax: { min: 1, max: 100, byDefault: 8 },
  retryDelayMs: { min: 1, max: 60_000, byDefault: 200 },
  retryDelayMsMax: { min: 1, max: 600_000, byDefault: 10_000 },
  connectTimeoutMs: { min: 1, max: 600_000, byDefault: 10_000 },
  stallTimeoutMs: { min: 1, max: 600_000, byDefault: 30_000 },
  replyTimeoutMs: { min: 1, max: 600_000, byDefault: 60_000 },
  sourceTimeoutMs: { min: 1, max: 86_400_000, byDefault: 3_600_000 },
  tailHoldMs: { min: 1, max: 600_000, byDefault: 15_000 },
};

/** Settings of the AWS client that are looked for among ours. */
const CLIENT_SETTINGS: ReadonlySet<string> = new Set([
  'credentials',
  'profile',
  'logger',
  'requestHandler',
  'useFipsEndpoint',
  'useDualstackEndpoint',
]);

const OTHER_OPTIONS: readonly string[] = [
  'region',
  'endpoint',
  'client',
  'registryId',
  'createRepository',
  'hasher',
  'workerUrl',
  'partSizeBytes',
  'callsPerSecondMax',
  'certificateAuthorities',
  'temporaryDirectory',
  'resumeDirectory',
  'proxy',
];

/**
 * Checks the options and fills in the defaults.
 * @throws LongshoreError E_OPTION_INVALID, which names the option, what was expected and received
 */
export function resolveUploaderOptions(
  options: UploaderOptions,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): ResolvedUploaderOptions {
  for (const name of Object.keys(options)) {
    if (!(name in RANGE) && !OTHER_OPTIONS.includes(name)) {
      if (CLIENT_SETTINGS.has(name)) {
        throw optionInvalid(name, `it inside client: { ${name} }`, 'it beside client');
      }
      throw optionInvalid(
        name,
        `one of ${[...Object.keys(RANGE), ...OTHER_OPTIONS].join(', ')}`,
        name,
      );
    }
  }
  const numbers = Object.fromEntries(
    Object.entries(RANGE).map(([name, range]) => [
      name,
      integerIn(name, options[name as NumberOption] ?? range.byDefault, range),
    ]),
  ) as Record<NumberOption, number>;
  const { partSizeBytes, registryId, hasher = 'auto', proxy = 'environment' } = options;
  if (partSizeBytes !== undefined) {
    const range = { min: PART_SIZE_MIN_BYTES, max: PART_SIZE_MAX_BYTES };
    integerIn('partSizeBytes', partSizeBytes, range);
  }
  if (registryId !== undefined && !/^[0-9]{12}$/.test(registryId)) {
    throw optionInvalid('registryId', '12 digits', registryId);
  }
  if (!['auto', 'wasm', 'native'].includes(hasher)) {
    throw optionInvalid('hasher', "'auto', 'wasm' or 'native'", hasher);
  }
  if (proxy !== 'environment' && proxy !== 'none' && !(proxy instanceof URL)) {
    throw optionInvalid('proxy', "'environment', 'none' or a URL object", `a ${typeof proxy}`);
  }
  if (options.endpoint !== undefined && !URL.canParse(options.endpoint)) {
    throw optionInvalid('endpoint', 'a URL such as https://host:port', 'something else');
  }
  if (options.region === '') {
    throw optionInvalid('region', 'an AWS region such as eu-central-1', 'an empty text');
  }
  const authorities = options.certificateAuthorities ?? bundleFrom(environment['AWS_CA_BUNDLE']);
  return Object.freeze({
    ...numbers,
    region: options.region,
    endpoint: options.endpoint,
    client: options.client ?? {},
    registryId,
    createRepository: options.createRepository ?? false,
    hasher,
    workerUrl: options.workerUrl,
    partSizeBytes,
    callsPerSecondMax: resolveCallsPerSecond(options.callsPerSecondMax),
    certificateAuthorities:
      authorities === undefined
        ? undefined
        : withExtraAuthorities(authorities, environment['NODE_EXTRA_CA_CERTS']),
    temporaryDirectory: options.temporaryDirectory ?? tmpdir(),
    resumeDirectory: resolveResumeDirectory(options.resumeDirectory),
    proxy,
  });
}

/** How the uploader's threads reach ECR and what it points to. */
export function connectionOf(
  options: ResolvedUploaderOptions,
): Omit<ConnectionSettings, 'proxyUrl'> {
  const { certificateAuthorities, connectTimeoutMs, stallTimeoutMs, replyTimeoutMs } = options;
  return { certificateAuthorities, connectTimeoutMs, stallTimeoutMs, replyTimeoutMs };
}

function integerIn(
  name: string,
  value: number,
  range: { readonly min: number; readonly max: number },
): number {
  if (Number.isSafeInteger(value) && value >= range.min && value <= range.max) return value;
  throw optionInvalid(name, `an integer from ${range.min} to ${range.max}`, String(value));
}

/** The AWS SDK for JavaScript ignores this variable; the AWS CLI and the other SDKs do not. */
function bundleFrom(path: string | undefined): string | undefined {
  if (path === undefined || path === '') return undefined;
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw optionInvalid('AWS_CA_BUNDLE', 'a readable file of PEM certificates', reason);
  }
}
