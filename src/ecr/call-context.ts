import type { Digest } from '../digest.ts';
import type { ByteRange } from '../layer/ports.ts';

/** The call that failed. */
export interface CallContext {
  readonly operation: string;
  readonly repository: string;
  readonly uploadId?: string;
  readonly range?: ByteRange;
  /** The image, or the layer, that the call is about. */
  readonly digest?: Digest;
  /** How long the call took to fail. */
  readonly elapsedMs?: number;
}
