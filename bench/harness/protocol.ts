/** What passes between the benchmark and the processes it starts: JSON, one value a line. */

import type { UploaderOptions } from 'longshore';
import type { WireActivity } from './wire-activity.ts';

/** A file to upload and what its digest really is, by the benchmark's own count. */
export interface LayerFile {
  readonly path: string;
  readonly sizeBytes: number;
  readonly digest: string;
}

/** Where the server listens and how to be let in. */
export interface ServerAddress {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** PEM, for a server that speaks TLS. */
  readonly certificateAuthorities?: string;
  /** Its other face, below `/v2/`. */
  readonly registry: {
    readonly host: string;
    readonly username: string;
    readonly password: string;
  };
}

/** One run of one contestant. */
export interface Job {
  readonly server: ServerAddress;
  readonly repository: string;
  readonly layers: readonly LayerFile[];
  /** `undefined`: what the server's `InitiateLayerUpload` reports. */
  readonly partSizeBytes?: number;
  /** Layers side by side, for contestants that have to be told. */
  readonly layersInFlight: number;
  /** Of whoever pushes a whole image: the folder of its OCI layout. */
  readonly layout?: string;
  /** For longshore only. */
  readonly options?: LongshoreOptions;
}

export type LongshoreOptions = Pick<
  UploaderOptions,
  | 'hasher'
  | 'partSizeBytes'
  | 'partsInFlight'
  | 'layersInFlight'
  | 'bytesInMemoryMax'
  | 'workersMax'
>;

/** What a contestant did, as it says itself. */
export interface Outcome {
  readonly layerBytes: number;
  /** In the order of the job's layers. */
  readonly digests: readonly string[];
  /** Figures only this contestant has, with the unit in the name. */
  readonly extra?: Readonly<Record<string, number>>;
}

/** What a run cost the contestant's process, all its threads included. */
export interface Measurement extends Outcome {
  readonly wallMs: number;
  readonly cpuUserMs: number;
  readonly cpuSystemMs: number;
  /** Over the life of the process, its start and imports included. */
  readonly cpuLifetimeMs: number;
  /** Before the run, everything imported. */
  readonly rssBeforeBytes: number;
  /** High-water mark of the run: the kernel's where it can be reset, else the sampled one. */
  readonly rssPeakBytes: number;
  readonly rssSampledPeakBytes: number;
  /** The kernel's over the life of the process; may include what it inherited when it was started. */
  readonly rssLifetimePeakBytes: number;
  readonly loopDelayP50Ms: number;
  readonly loopDelayP99Ms: number;
  readonly loopDelayMaxMs: number;
}

/** A child's answer. */
export type Reply =
  | { readonly type: 'measured'; readonly measurement: Measurement }
  | { readonly type: 'failed'; readonly message: string };

/** What the server process says when it is asked. */
export interface ServerUsage {
  readonly cpuMs: number;
  readonly rssBytes: number;
  /** Since it was asked before. */
  readonly activity: WireActivity;
}

/** A link as a table's title names it. */
export interface Link {
  readonly roundTripMs: number;
  /** Added to each round trip, evenly drawn from 0 to this. Default 0. */
  readonly jitterMs?: number;
  readonly bytesPerSecondPerConnection: number;
  /** All connections together. Default: no limit. */
  readonly bytesPerSecondTotal?: number;
  readonly partServiceTimeMs: number;
}

/** What the server process is started with. */
export interface ServerJob {
  readonly tls?: { readonly key: string; readonly certificate: string };
  readonly link?: Link;
  /** Whether calls above ECR's published rates are refused. */
  readonly quotas?: boolean;
}
