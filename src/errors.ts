/**
 * The one error class. Branch on `code`, print `message`.
 * Cancellation is not one of these: an aborted call rejects with `signal.reason`, untouched.
 */

import type { Digest } from './digest.ts';

/** Which side failed. */
export type ErrorOrigin = 'source' | 'registry' | 'worker' | 'caller';

interface RegistryDetails {
  /** The ECR operation, for example `UploadLayerPart`. */
  readonly operation: string;
  readonly repository?: string;
  /** The name ECR gave its error, for example `KmsException`. */
  readonly exception?: string;
  readonly httpStatus?: number;
  readonly requestId?: string;
}

interface SourceRegistryDetails {
  /** The image's reference. */
  readonly source: string;
  readonly registryHost: string;
  readonly httpStatus?: number;
  /** The registry's own name for the error, for example `TOOMANYREQUESTS`. */
  readonly registryCode?: string;
  readonly systemCode?: string;
}

/** The details that come with each code. */
export interface ErrorDetails {
  E_OPTION_INVALID: {
    readonly option: string;
    readonly expected: string;
    readonly received: string;
  };
  E_CONFIG_INVALID: {
    readonly file: string;
    /** In the order of the file; `line` and `column` count from 1. */
    readonly problems: readonly {
      readonly line: number;
      readonly column: number;
      /** Such as `mappings[0].tags.newest`; empty for the file as a whole. */
      readonly path: string;
      readonly problem: string;
    }[];
  };
  E_SOURCE_UNREADABLE: { readonly source: string; readonly systemCode?: string };
  E_SOURCE_EMPTY: { readonly source: string };
  E_SOURCE_CHANGED: {
    readonly source: string;
    readonly expectedSizeBytes?: number;
    readonly actualSizeBytes?: number;
  };
  E_LAYER_TOO_LARGE: {
    readonly sizeBytes: number;
    readonly limitBytes: number;
    readonly partSizeBytes: number;
    readonly partCountMax: number;
  };
  E_DIGEST_MISMATCH: {
    readonly expected: Digest;
    readonly actual: Digest;
    readonly source: string;
  };
  E_IMAGE_NOT_FOUND: {
    readonly source: string;
    readonly wanted: string;
    readonly choices: readonly string[];
  };
  E_IMAGE_AMBIGUOUS: { readonly source: string; readonly choices: readonly string[] };
  E_IMAGE_INVALID: { readonly source: string; readonly what: string; readonly problem: string };
  E_IMAGE_UNSUPPORTED: { readonly source: string; readonly what: string; readonly problem: string };
  E_TEMPORARY_UNWRITABLE: { readonly systemCode?: string };
  E_BLOB_MISSING: { readonly source: string; readonly digest: Digest };
  E_SOURCE_DENIED: SourceRegistryDetails;
  E_SOURCE_REGISTRY: SourceRegistryDetails;
  E_TAG_IMMUTABLE: {
    readonly repository: string;
    readonly tag: string;
    readonly digest: Digest;
    /** What the tag points to; `undefined` where ECR did not say. */
    readonly existingDigest: Digest | undefined;
  };
  E_IMAGE_REJECTED: RegistryDetails & { readonly digest: Digest };
  E_VERIFICATION_FAILED: {
    readonly repository: string;
    readonly image: string;
    /** One line a finding. */
    readonly problems: readonly string[];
  };
  E_REPOSITORY_NOT_FOUND: RegistryDetails;
  E_REQUEST_INVALID: RegistryDetails;
  E_LAYER_REJECTED: RegistryDetails;
  E_PART_REJECTED: RegistryDetails & {
    readonly firstByte: number;
    readonly lastByte: number;
    readonly lastValidByteReceived?: number;
  };
  E_UPLOAD_LOST: RegistryDetails & { readonly uploadId: string };
  E_KMS: RegistryDetails & { readonly kmsError?: string };
  E_QUOTA_EXCEEDED: RegistryDetails;
  E_THROTTLED: RegistryDetails;
  E_CREDENTIALS: RegistryDetails;
  E_ACCESS_DENIED: RegistryDetails;
  E_CLOCK_SKEW: RegistryDetails;
  E_NETWORK: RegistryDetails & { readonly systemCode?: string };
  E_TIMEOUT: RegistryDetails & { readonly waitedMs: number };
  E_REGISTRY_FAULT: RegistryDetails;
  E_REGISTRY_PROTOCOL: RegistryDetails & { readonly expected: string; readonly received: string };
  E_WORKER_LOST: { readonly job: string };
  E_WORKER_NOT_FOUND: { readonly workerUrl: string };
  E_CLOSED: Record<never, never>;
}

/** A stable name for each kind of failure. */
export type ErrorCode = keyof ErrorDetails;

const ORIGIN: { readonly [Code in ErrorCode]: ErrorOrigin } = {
  E_OPTION_INVALID: 'caller',
  E_CONFIG_INVALID: 'caller',
  E_SOURCE_UNREADABLE: 'source',
  E_SOURCE_EMPTY: 'source',
  E_SOURCE_CHANGED: 'source',
  E_LAYER_TOO_LARGE: 'source',
  E_DIGEST_MISMATCH: 'source',
  E_IMAGE_NOT_FOUND: 'source',
  E_IMAGE_AMBIGUOUS: 'caller',
  E_IMAGE_INVALID: 'source',
  E_IMAGE_UNSUPPORTED: 'source',
  E_TEMPORARY_UNWRITABLE: 'caller',
  E_BLOB_MISSING: 'source',
  E_SOURCE_DENIED: 'source',
  E_SOURCE_REGISTRY: 'source',
  E_TAG_IMMUTABLE: 'registry',
  E_IMAGE_REJECTED: 'registry',
  E_VERIFICATION_FAILED: 'registry',
  E_REPOSITORY_NOT_FOUND: 'registry',
  E_REQUEST_INVALID: 'registry',
  E_LAYER_REJECTED: 'registry',
  E_PART_REJECTED: 'registry',
  E_UPLOAD_LOST: 'registry',
  E_KMS: 'registry',
  E_QUOTA_EXCEEDED: 'registry',
  E_THROTTLED: 'registry',
  E_CREDENTIALS: 'caller',
  E_ACCESS_DENIED: 'registry',
  E_CLOCK_SKEW: 'caller',
  E_NETWORK: 'registry',
  E_TIMEOUT: 'registry',
  E_REGISTRY_FAULT: 'registry',
  E_REGISTRY_PROTOCOL: 'registry',
  E_WORKER_LOST: 'worker',
  E_WORKER_NOT_FOUND: 'worker',
  E_CLOSED: 'caller',
};

/** Codes for which the same call can succeed later without a change by the caller. */
const RETRYABLE: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'E_UPLOAD_LOST',
  'E_SOURCE_REGISTRY',
  'E_THROTTLED',
  'E_NETWORK',
  'E_TIMEOUT',
  'E_REGISTRY_FAULT',
  'E_WORKER_LOST',
]);

const BRAND = Symbol.for('longshore.error');

/** Every failure of longshore's own. `code` is stable, `details` is typed by it. */
export class LongshoreError<Code extends ErrorCode = ErrorCode> extends Error {
  readonly code: Code;
  readonly details: ErrorDetails[Code];
  readonly origin: ErrorOrigin;
  /** Whether the same call may succeed later, unchanged. longshore has already retried by then. */
  readonly retryable: boolean;

  constructor(
    code: Code,
    message: string,
    details: ErrorDetails[Code],
    options?: { readonly cause?: unknown },
  ) {
    super(message, options);
    this.code = code;
    this.details = details;
    this.origin = ORIGIN[code];
    this.retryable = RETRYABLE.has(code);
  }

  /** Works across copies of the package, where `instanceof` does not. */
  static is<C extends ErrorCode = ErrorCode>(value: unknown, code?: C): value is LongshoreError<C> {
    if (typeof value !== 'object' || value === null || !(BRAND in value)) return false;
    return code === undefined || (value as unknown as LongshoreError).code === code;
  }
}

Object.defineProperties(LongshoreError.prototype, {
  name: { value: 'LongshoreError', configurable: true, writable: true },
  [BRAND]: { value: true },
});

/** What the operating system, or Node, calls an error, if it came from there: `ENOENT`, `ECONNRESET`. */
export function systemCodeOf(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}

/** For bad input of any kind. */
export function optionInvalid(
  option: string,
  expected: string,
  received: string,
): LongshoreError<'E_OPTION_INVALID'> {
  return new LongshoreError(
    'E_OPTION_INVALID',
    `${option}: expected ${expected}, received ${received}`,
    { option, expected, received },
  );
}

/** How an event tells of a failure. `E_UNEXPECTED` for what the caller's own code threw. */
export function failureOf(
  error: unknown,
  isAborted: boolean,
): { readonly code: ErrorCode | 'ABORTED' | 'E_UNEXPECTED'; readonly message: string } {
  const code = LongshoreError.is(error) ? error.code : 'E_UNEXPECTED';
  return {
    code: isAborted ? 'ABORTED' : code,
    message: error instanceof Error ? error.message : String(error),
  };
}
