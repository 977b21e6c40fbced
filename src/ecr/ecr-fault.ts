/** What ECR's errors, and failures on the way to it, mean. The one place that knows their names. */

import { type ErrorCode, type ErrorDetails, LongshoreError } from '../errors.ts';
import { type FaultKind, RegistryFault } from '../layer/ports.ts';
import { bareCause } from './bare-cause.ts';
import type { CallContext } from './call-context.ts';
import { networkFault } from './network-fault.ts';
import { settingsFault } from './settings-fault.ts';

/** The parts of an SDK error that matter, all optional: anything may have been thrown. */
interface SdkError {
  readonly name?: string;
  readonly message?: string;
  readonly $metadata?: {
    readonly httpStatusCode?: number;
    readonly requestId?: string;
  };
  readonly $response?: {
    readonly statusCode?: number;
    readonly headers?: Readonly<Record<string, string>>;
  };
  readonly lastValidByteReceived?: number;
  readonly kmsError?: string;
}

/** Longest registry text that goes into a message. */
const TEXT_LENGTH_MAX = 500;

type Meaning = readonly [kind: FaultKind, code: RegistryCode, remedy: string];

type RegistryCode = Exclude<
  ErrorCode,
  | `E_SOURCE_${string}`
  | `E_WORKER_${string}`
  | `E_IMAGE_${'INVALID' | 'UNSUPPORTED' | 'NOT_FOUND' | 'AMBIGUOUS'}`
  | 'E_BLOB_MISSING'
  | 'E_TEMPORARY_UNWRITABLE'
  | 'E_TAG_IMMUTABLE'
  | 'E_VERIFICATION_FAILED'
  | 'E_OPTION_INVALID'
  | 'E_LAYER_TOO_LARGE'
  | 'E_DIGEST_MISMATCH'
  | 'E_CLOSED'
  | 'E_TIMEOUT'
>;

const RATE: Meaning = [
  'throttled',
  'E_THROTTLED',
  'ask AWS for a higher quota, or send less at once',
];
const EXPIRED: Meaning = ['final', 'E_CREDENTIALS', 'sign in again: the credentials have expired'];
const CREDENTIALS: Meaning = ['final', 'E_CREDENTIALS', 'check the AWS credentials and the region'];
const INVALID: Meaning = [
  'final',
  'E_REQUEST_INVALID',
  'check the repository name and the settings',
];
const FAULT: Meaning = ['ambiguous', 'E_REGISTRY_FAULT', 'try again later'];
const DENIED: Meaning = [
  'final',
  'E_ACCESS_DENIED',
  'allow the action for these credentials in IAM and in the repository policy',
];
const REJECTED: Meaning = ['final', 'E_LAYER_REJECTED', 'upload the layer again from its source'];

const MEANING: Readonly<Record<string, Meaning>> = {
  // Every exception that the service model names for the operations of a layer (H).
  ServerException: FAULT,
  InvalidParameterException: INVALID,
  RepositoryNotFoundException: [
    'repository-missing',
    'E_REPOSITORY_NOT_FOUND',
    "create it with 'aws ecr create-repository --repository-name NAME', or set the option " +
      'createRepository (--create-repository)',
  ],
  UploadNotFoundException: [
    'upload-lost',
    'E_UPLOAD_LOST',
    'ECR no longer knows the upload; upload the layer again',
  ],
  InvalidLayerException: REJECTED,
  InvalidLayerPartException: ['part-out-of-order', 'E_PART_REJECTED', 'upload the layer again'],
  LayerPartTooSmallException: [
    'final',
    'E_LAYER_REJECTED',
    'every part but the last must have at least 5 MiB: raise partSizeBytes',
  ],
  EmptyUploadException: ['final', 'E_LAYER_REJECTED', 'a layer must have at least one byte'],
  LayerAlreadyExistsException: ['already-exists', 'E_LAYER_REJECTED', 'the layer is there'],
  RepositoryAlreadyExistsException: [
    'already-exists',
    'E_REQUEST_INVALID',
    'the repository exists',
  ],
  KmsException: [
    'final',
    'E_KMS',
    "check that the repository's KMS key is enabled and that you may use it",
  ],
  // And for those of an image (H).
  LayersNotFoundException: [
    'layers-missing',
    'E_IMAGE_REJECTED',
    'layers that the manifest names are not in the repository; push the image again',
  ],
  LayerInaccessibleException: [
    'layers-missing',
    'E_IMAGE_REJECTED',
    'no image refers to the layer, and ECR gives out only those that one refers to',
  ],
  ReferencedImagesNotFoundException: [
    'children-missing',
    'E_IMAGE_REJECTED',
    'images that the index lists are not in the repository; push the index again, or only the ' +
      'platforms there are (platforms, --platform)',
  ],
  ImageAlreadyExistsException: ['already-exists', 'E_IMAGE_REJECTED', 'the image is there'],
  ImageTagAlreadyExistsException: ['tag-immutable', 'E_IMAGE_REJECTED', 'use another tag'],
  ImageDigestDoesNotMatchException: [
    'final',
    'E_IMAGE_REJECTED',
    'the manifest that arrived is not the one that was sent; check any proxy on the way',
  ],
  LimitExceededException: ['final', 'E_QUOTA_EXCEEDED', 'ask AWS for a higher quota, or use less'],
  // Errors common to all AWS services (H).
  ThrottlingException: RATE,
  TooManyRequestsException: RATE,
  RequestLimitExceeded: RATE,
  ValidationException: INVALID,
  InternalFailure: FAULT,
  RequestTimeout: FAULT,
  RequestTimeoutException: FAULT,
  ServiceUnavailable: FAULT,
  ServiceUnavailableException: FAULT,
  ExpiredTokenException: EXPIRED,
  ExpiredToken: EXPIRED,
  UnrecognizedClientException: CREDENTIALS,
  InvalidClientTokenId: CREDENTIALS,
  InvalidSignatureException: CREDENTIALS,
  SignatureDoesNotMatch: CREDENTIALS,
  IncompleteSignature: CREDENTIALS,
  IncompleteSignatureException: CREDENTIALS,
  MissingAuthenticationToken: CREDENTIALS,
  MissingAuthenticationTokenException: CREDENTIALS,
  CredentialsProviderError: CREDENTIALS,
  AccessDeniedException: DENIED,
  AccessDenied: DENIED,
};

/** Turns whatever a call threw into a fault. An abort is not one: callers check their signal first. */
export function toRegistryFault(thrown: unknown, context: CallContext): RegistryFault {
  if (thrown instanceof RegistryFault) return thrown;
  if (LongshoreError.is(thrown)) return new RegistryFault('final', thrown);
  const error: SdkError = typeof thrown === 'object' && thrown !== null ? thrown : {};
  const status = error.$metadata?.httpStatusCode ?? error.$response?.statusCode;
  const cause = bareCause(thrown);
  const settings = settingsFault(cause);
  if (settings !== undefined) return settings;
  // Also with a status: the reply may break off, or stand still, behind its head.
  const network = networkFault(cause, context);
  if (network !== undefined) return network;
  const [kind, code, remedy] = isClockSkew(error)
    ? ([skewFaultKind(error), 'E_CLOCK_SKEW', "set this machine's clock"] as const)
    : meaningOf(error, status);
  const text = (error.message ?? String(thrown)).slice(0, TEXT_LENGTH_MAX);
  const details: object = {
    operation: context.operation,
    repository: context.repository,
    ...(error.name !== undefined && { exception: error.name }),
    ...(status !== undefined && { httpStatus: status }),
    ...(error.$metadata?.requestId !== undefined && { requestId: error.$metadata.requestId }),
    ...extraDetails(code, error, context),
  };
  const message =
    `${context.operation} failed for repository ${context.repository}: ` +
    `${error.name ?? 'error'}: ${text}; ${remedy}`;
  const nextByte = kind === 'part-out-of-order' ? nextByteOf(error) : undefined;
  const retryAfterMs = retryAfterOf(error);
  return new RegistryFault(
    kind,
    new LongshoreError(code, message, details as ErrorDetails[typeof code], { cause }),
    {
      ...(nextByte !== undefined && { nextByte }),
      ...(retryAfterMs !== undefined && { retryAfterMs }),
    },
  );
}

/** Whether fresh credentials may cure the fault. */
export function isExpiredCredentials(fault: RegistryFault): boolean {
  const { code, details } = fault.error;
  const exception = 'exception' in details ? details.exception : undefined;
  return code === 'E_CREDENTIALS' && exception?.startsWith('ExpiredToken') === true;
}

function meaningOf(error: SdkError, status: number | undefined): Meaning {
  // The name is the reply's: `constructor` is a member of every object.
  const isKnown = error.name !== undefined && Object.hasOwn(MEANING, error.name);
  const known = isKnown ? MEANING[error.name] : undefined;
  if (known !== undefined) return known;
  if (status === 429) return RATE;
  if (status !== undefined && status >= 500) return FAULT;
  // Answered, but in a form that could not be read; or not by ECR at all. All that ECR refuses is a 400.
  const isUnreadable = status === 400 && error.name === 'SyntaxError';
  if (status === undefined || status < 300 || isUnreadable) {
    return ['ambiguous', 'E_REGISTRY_PROTOCOL', 'check the endpoint and any proxy on the way'];
  }
  if (status === 407) {
    return ['final', 'E_NETWORK', "put the proxy's user and password into its URL"];
  }
  // A gateway that lost patience with a held request.
  if (status === 408) return FAULT;
  return INVALID;
}

function isClockSkew(error: SdkError): boolean {
  if (error.name === 'RequestTimeTooSkewed' || error.name === 'RequestExpired') return true;
  return /^Signature (expired|not yet current)/.test(error.message ?? '');
}

/**
 * The SDK signs by the server's clock from the first reply on that has a date. (It also tells when it
 * has corrected itself, but not when it went back to a clock that is right again.)
 */
function skewFaultKind(error: SdkError): FaultKind {
  return error.$response?.headers?.['date'] === undefined ? 'final' : 'renewed';
}

function extraDetails(code: RegistryCode, error: SdkError, context: CallContext): object {
  switch (code) {
    case 'E_PART_REJECTED':
      return {
        firstByte: context.range?.firstByte ?? 0,
        lastByte: (context.range?.endByte ?? 1) - 1,
        ...(error.lastValidByteReceived !== undefined && {
          lastValidByteReceived: error.lastValidByteReceived,
        }),
      };
    case 'E_IMAGE_REJECTED':
      return { digest: context.digest };
    case 'E_UPLOAD_LOST':
      return { uploadId: context.uploadId ?? '' };
    case 'E_KMS':
      return error.kmsError === undefined ? {} : { kmsError: error.kmsError };
    case 'E_REGISTRY_PROTOCOL':
      return { expected: 'a reply of ECR', received: 'something else' };
    default:
      return {};
  }
}

/**
 * The first byte ECR lacks. `lastValidByteReceived` tells (model, H), except that its smallest value
 * is 0, which may also stand for "none"; the text then decides (seen in real replies, H).
 */
function nextByteOf(error: SdkError): number | undefined {
  const said = /instead of (\d+)/.exec(error.message ?? '')?.[1];
  const last = error.lastValidByteReceived;
  if (last !== undefined && last > 0) return last + 1;
  if (said !== undefined) return Number(said);
  return last === undefined ? undefined : 0;
}

function retryAfterOf(error: SdkError): number | undefined {
  const seconds = Number(error.$response?.headers?.['retry-after']);
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : undefined;
}
