import type { LayerEvent, LayerReceipt, UploaderSnapshot } from './layer/layer-events.ts';
import type { LayerSource } from './layer/layer-source.ts';
import type { Digest } from './digest.ts';
import type { UploaderOptions } from './uploader-options.ts';

/** One layer to upload. */
export interface LayerRequest {
  /** Repository name, without registry host or tag. */
  readonly repository: string;
  readonly source: LayerSource;
  /** Expected digest. Default: the source's, else computed. */
  readonly digest?: Digest;
  /**
   * Ask ECR whether it has the layer before sending. Default true. A file of unknown digest is then
   * hashed first, which costs one more read; false hashes on the way only.
   */
  readonly checkFirst?: boolean;
}

/** What belongs to one call. */
export interface UploadCall {
  /** Aborts this upload; it rejects with `signal.reason`. */
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: LayerEvent) => void;
}

/** Uploads layers. Made by {@link createUploader}; must be closed. */
export interface Uploader extends AsyncDisposable {
  /** @throws LongshoreError every code but E_WORKER_LOST's details are in README, "Errors" */
  uploadLayer(request: LayerRequest, call?: UploadCall): Promise<LayerReceipt>;
  snapshot(): UploaderSnapshot;
  /** Takes no new work, finishes what runs, then ends threads, sockets and timers. Idempotent. */
  close(): Promise<void>;
  /** Aborts what runs with `reason` (default: E_CLOSED), then as `close`. Idempotent. */
  destroy(reason?: unknown): Promise<void>;
}

/** Makes an uploader. Threads and connections start with the first upload. */
export function createUploader(options: UploaderOptions = {}): Uploader {
  throw new Error(`not built yet ${String(options.region)}`);
}
