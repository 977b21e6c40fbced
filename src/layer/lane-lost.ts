import type { LongshoreError } from '../errors.ts';

/**
 * The upload cannot go on, but a new one may succeed: the registry lost it, its state cannot be brought
 * in line with ours, or the digest of what was sent is gone with its thread.
 */
export class LaneLost extends Error {
  readonly error: LongshoreError;
  constructor(error: LongshoreError) {
    super(error.message, { cause: error });
    this.error = error;
  }
}
