import type { JobFailure } from './job-protocol.ts';

/** Carries a failure out of the depth of a job; it becomes data before it leaves the worker. */
export class JobError extends Error {
  readonly failure: JobFailure;
  constructor(failure: JobFailure) {
    super(failure.message);
    this.failure = failure;
  }
}

/** What the operating system calls an error, if it came from there. */
export function systemCodeOf(error: unknown): { readonly systemCode?: string } {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? { systemCode: code } : {};
}
