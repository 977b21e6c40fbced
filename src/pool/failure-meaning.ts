/** What a failed job means to whoever asked for it. */

import { LongshoreError } from '../errors.ts';
import { TransmissionError } from '../layer/part-transmitter.ts';
import { sourceChanged, sourceUnreadable } from '../layer/source-errors.ts';
import type { JobFailure } from './job-protocol.ts';
import type { WorkerLost } from './worker-pool.ts';

export function transmissionError(failure: JobFailure | WorkerLost): TransmissionError {
  switch (failure.kind) {
    case 'network':
    case 'timeout':
      return new TransmissionError(failure.kind, failure.message, failure);
    case 'worker-lost':
      return new TransmissionError('worker-lost', failure.message);
    case 'cancelled':
    case 'hash-lost':
    case 'short':
    case 'unreadable':
    case 'unwritable':
    case 'defect':
      return new TransmissionError('defect', failure.message);
  }
}

export function sourceFailure(
  failure: JobFailure | WorkerLost,
  job: string,
  label: string,
  expectedSizeBytes: number,
): LongshoreError {
  switch (failure.kind) {
    case 'unreadable':
      return sourceUnreadable(label, new Error(failure.message), undefined, failure.systemCode);
    case 'unwritable':
      return temporaryUnwritable(failure);
    case 'short':
      return sourceChanged(label, expectedSizeBytes, failure.foundBytes ?? 0);
    case 'worker-lost':
    case 'hash-lost':
      return new LongshoreError(
        'E_WORKER_LOST',
        `a worker thread ended while it worked on ${label}; upload it again. If this happens ` +
          'often, the process may be short of memory',
        { job },
        { cause: new Error(failure.message) },
      );
    case 'cancelled':
    case 'network':
    case 'timeout':
    case 'defect':
      return new LongshoreError(
        'E_WORKER_LOST',
        `a worker failed at ${job} of ${label}: ${failure.message}; this is a defect of longshore`,
        { job },
      );
  }
}

function temporaryUnwritable({
  message,
  systemCode,
}: JobFailure): LongshoreError<'E_TEMPORARY_UNWRITABLE'> {
  return new LongshoreError(
    'E_TEMPORARY_UNWRITABLE',
    `cannot write to the temporary directory: ${message}; make room, or choose another one ` +
      '(temporaryDirectory, TMPDIR)',
    systemCode === undefined ? {} : { systemCode },
  );
}
