/** The uploader's options: read, checked and filled in at one place, before anything is started. */

import type { CreateRepositoryCommandInput, ECRClientConfig } from '@aws-sdk/client-ecr';
import { LongshoreError } from './errors.ts';
import { MIB, PART_SIZE_MAX_BYTES, PART_SIZE_MIN_BYTES } from './limits.ts';

/** Settings of a repository that is created on the way. */
export type RepositorySettings = Omit<
  CreateRepositoryCommandInput,
  'repositoryName' | 'registryId'
>;

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
   * or by what `auto` measures to be faster on this machine. Default `auto`.
   */
  readonly hasher?: 'auto' | 'wasm' | 'native';
  /** Worker threads, 1..64. Default: cores, at most 4. */
  readonly workersMax?: number;
  /** The compiled worker file, for programs that bundle longshore. Default: found beside this file. */
  readonly workerUrl?: URL | string;
  /** Layers uploaded side by side, 1..256. Default 6. */
  readonly layersInFlight?: number;
  /** Parts of one layer on the wire at once, 1..64; 1 is the classic way. Default 6. */
  readonly partsInFlight?: number;
  /** Parts of all layers on the wire at once, 1..1024. Default 24. */
  readonly partsInFlightTotal?: number;
  /** Cap on part buffers, at least one part's body (4/3 of the part). Default 96 MiB. */
  readonly bytesInMemoryMax?: number;
  /** Part size, 5 MiB to 20 MiB. Default: what ECR's `InitiateLayerUpload` reports (10 MiB). */
  readonly partSizeBytes?: number;
  /** Attempts of one call, the first included, 1..100. Default 8. */
  readonly attemptsMax?: number;
  /** Upper bound of the first back-off, which doubles from there, 1..60,000. Default 200 ms. */
  readonly retryDelayMs?: number;
  /** Upper bound of every back-off, 1..600,000. Default 10,000 ms. */
  readonly retryDelayMsMax?: number;
  /** Longest wait for a connection, TLS included, 1..600,000. Default 10,000 ms. */
  readonly connectTimeoutMs?: number;
  /** Longest time in which a socket takes no byte of a part, 1..600,000. Default 30,000 ms. */
  readonly stallTimeoutMs?: number;
  /** Longest wait for a reply after the last byte was sent, 1..600,000. Default 60,000 ms. */
  readonly replyTimeoutMs?: number;
  /** Longest time a part's last bytes are held back for the part before it. Default 15,000 ms. */
  readonly tailHoldMs?: number;
  /**
   * PEM certificates to trust beside Node's own. Default: the file that `AWS_CA_BUNDLE` names.
   * (`NODE_EXTRA_CA_CERTS` works by itself.)
   */
  readonly certificateAuthorities?: string;
  /** `environment` reads `HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`; or a proxy's URL; or `none`. */
  readonly proxy?: 'environment' | 'none' | URL;
}

/** Options with every default filled in. */
export type ResolvedUploaderOptions = Required<
  Omit<
    UploaderOptions,
    | 'region'
    | 'endpoint'
    | 'client'
    | 'registryId'
    | 'workerUrl'
    | 'partSizeBytes'
    | 'certificateAuthorities'
    | 'workersMax'
  >
> &
  Pick<
    UploaderOptions,
    'region' | 'endpoint' | 'client' | 'registryId' | 'workerUrl' | 'partSizeBytes'
  > & { readonly workersMax: number; readonly certificateAuthorities: string | undefined };
