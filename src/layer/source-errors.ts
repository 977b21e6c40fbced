/** What can be wrong with a source. */

import { LongshoreError, systemCodeOf } from '../errors.ts';

/** Wraps what a source threw; errors of longshore's own pass through. */
export function sourceUnreadable(
  label: string,
  cause: unknown,
  hint?: string,
  systemCode: string | undefined = systemCodeOf(cause),
): LongshoreError {
  if (LongshoreError.is(cause)) return cause;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new LongshoreError(
    'E_SOURCE_UNREADABLE',
    `cannot read ${label}: ${reason}${hint === undefined ? '' : `; ${hint}`}`,
    { source: label, ...(systemCode !== undefined && { systemCode }) },
    { cause },
  );
}

/** The layer's size is not what it was said to be. */
export function sourceChanged(
  label: string,
  expectedSizeBytes: number,
  actualSizeBytes: number,
): LongshoreError {
  return new LongshoreError(
    'E_SOURCE_CHANGED',
    `${label} changed while it was read, or is not what it was said to be: expected ` +
      `${expectedSizeBytes} bytes, found ${actualSizeBytes}; upload it again when nothing writes to it`,
    { source: label, expectedSizeBytes, actualSizeBytes },
  );
}

/** Nobody waits for a source without end. */
export function sourceSilent(label: string, waitedMs: number): LongshoreError {
  const silence = new Error(`it gave nothing for ${waitedMs} ms`);
  const hint = 'see what feeds it, or raise sourceTimeoutMs (--source-timeout)';
  return sourceUnreadable(label, silence, hint, 'ETIMEDOUT');
}

/** ECR has no way to store a layer of no bytes. */
export function sourceEmpty(label: string): LongshoreError {
  return new LongshoreError(
    'E_SOURCE_EMPTY',
    `${label} is empty, and ECR cannot store a layer of no bytes (EmptyUploadException); ` +
      'leave the layer out, or use the two-byte empty descriptor {}',
    { source: label },
  );
}
