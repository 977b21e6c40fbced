import type { ByteRange } from '../layer/ports.ts';

/** The call that failed. */
export interface CallContext {
  readonly operation: string;
  readonly repository: string;
  readonly uploadId?: string;
  readonly range?: ByteRange;
  /** How long the call took to fail. */
  readonly elapsedMs?: number;
}
