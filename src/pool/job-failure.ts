import { systemCodeOf } from '../errors.ts';
import type { JobFailure } from './job-protocol.ts';

/** Carries a failure out of the depth of a job; it becomes data before it leaves the worker. */
export class JobError extends Error {
  readonly failure: JobFailure;
  constructor(failure: JobFailure) {
    super(failure.message);
    this.failure = failure;
  }
}

/** The part of a failure that names what the operating system said, for spreading. */
export function systemCodeDetail(error: unknown): Pick<JobFailure, 'systemCode'> {
  const systemCode = systemCodeOf(error);
  return systemCode === undefined ? {} : { systemCode };
}
