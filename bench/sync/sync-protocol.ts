/** What passes between a sync's benchmark and its servers. */

export interface SyncTargetJob {
  /** Whether calls above ECR's published rates are refused. */
  readonly quotas: boolean;
  /** How far away it is. Default: on this machine. */
  readonly roundTripMs?: number;
}

export interface SyncTargetAddress {
  readonly endpoint: string;
  /** Of the `/v2` face. */
  readonly host: string;
  readonly region: string;
  /** Variables by which AWS's programs find credentials. */
  readonly environment: Readonly<Record<string, string>>;
  readonly username: string;
  readonly password: string;
}

/** What the target was asked since it was asked before, and what it holds. */
export interface SyncTargetUsage {
  /** Of both faces; a `/v2` request counts as the calls of ECR that it is. */
  readonly callCount: number;
  readonly throttledCount: number;
  /** Bodies as they were sent: base64 and JSON included. */
  readonly receivedBytes: number;
  readonly uploadCount: number;
  /** `repository:tag digest`. */
  readonly tags: readonly string[];
  /** Places of blobs in repositories, and different blobs. */
  readonly placeCount: number;
  readonly blobCount: number;
  /** Of its process so far. */
  readonly cpuMs: number;
}

/** A request that the source has answered. */
export interface SourceAnswer {
  readonly method: string;
  readonly path: string;
  readonly statusCode: number;
  readonly sentBytes: number;
}
