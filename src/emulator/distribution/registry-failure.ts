/** Refusals as the distribution API words them, and the translation of ECR's exceptions. */

import type { EcrException } from '../exception.ts';
import type { OperationName } from '../operation-name.ts';

export class RegistryFailure extends Error {
  readonly statusCode: number;
  readonly code: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The API's exception behind it, if there is one. */
  readonly exception: string | undefined;

  constructor(
    statusCode: number,
    code: string,
    message: string,
    options: {
      readonly headers?: Readonly<Record<string, string>>;
      readonly exception?: string;
    } = {},
  ) {
    super(message);
    this.name = 'RegistryFailure';
    this.statusCode = statusCode;
    this.code = code;
    this.headers = options.headers ?? {};
    this.exception = options.exception;
  }

  toJson(): string {
    return JSON.stringify({ errors: [{ code: this.code, message: this.message }] });
  }
}

type Translation = readonly [statusCode: number, code: string];

/** What the docker door makes of an exception; anything else is 405 UNSUPPORTED (crane#681, H). */
const TRANSLATIONS: Readonly<Record<string, Translation>> = {
  // Text and code of docker's own reports (H), status by the specification (M).
  RepositoryNotFoundException: [404, 'NAME_UNKNOWN'],
  ImageNotFoundException: [404, 'MANIFEST_UNKNOWN'],
  // int128/docker-manifest-create-action#63: code H, status M.
  ReferencedImagesNotFoundException: [404, 'MANIFEST_BLOB_UNKNOWN'],
  ImageTagAlreadyExistsException: [400, 'TAG_INVALID'],
  ImageDigestDoesNotMatchException: [400, 'DIGEST_INVALID'],
  LayersNotFoundException: [404, 'BLOB_UNKNOWN'],
  LayerInaccessibleException: [404, 'BLOB_UNKNOWN'],
  UploadNotFoundException: [404, 'BLOB_UPLOAD_UNKNOWN'],
  // apple/containerization#790, H.
  InvalidLayerPartException: [416, 'BLOB_UPLOAD_INVALID'],
  // radius#7887, H; the status of small parts by analogy.
  EmptyUploadException: [400, 'BLOB_UPLOAD_INVALID'],
  LayerPartTooSmallException: [400, 'BLOB_UPLOAD_INVALID'],
  InvalidLayerException: [400, 'DIGEST_INVALID'],
  KmsException: [403, 'DENIED'],
  AccessDeniedException: [403, 'DENIED'],
  ThrottlingException: [429, 'TOOMANYREQUESTS'],
  RequestEntityTooLargeException: [413, 'SIZE_INVALID'],
};

/** @param operation - What was refused: a missing layer is another matter to a push. */
export function translated(
  exception: EcrException,
  operation: OperationName | undefined,
): RegistryFailure {
  const { headers, httpStatus, message, name } = exception;
  const [statusCode, code] = translationOf(exception, operation);
  // A status that was chosen, by a fault for example, is kept.
  const status = httpStatus === 400 ? statusCode : httpStatus;
  return new RegistryFailure(status, code, message, { headers, exception: name });
}

function translationOf(
  { httpStatus, name }: EcrException,
  operation: OperationName | undefined,
): Translation {
  // mapbox/ecs-conex#50: code and text H, status by the specification.
  if (name === 'LayersNotFoundException' && operation === 'PutImage') {
    return [404, 'BLOB_UPLOAD_UNKNOWN'];
  }
  const known = TRANSLATIONS[name];
  if (known !== undefined) return known;
  return httpStatus >= 500 ? [httpStatus, 'UNKNOWN'] : [405, 'UNSUPPORTED'];
}
