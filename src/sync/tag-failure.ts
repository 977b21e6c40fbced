/** A failure as reports have it. */

import { failureOf, LongshoreError } from '../errors.ts';
import type { SyncReportTag } from './sync-report.ts';

export function failureFactsOf(error: unknown): NonNullable<SyncReportTag['error']> {
  const { code, message } = failureOf(error, false);
  const retryable = LongshoreError.is(error) && error.retryable;
  return { code: code === 'ABORTED' ? 'E_UNEXPECTED' : code, message, retryable };
}
