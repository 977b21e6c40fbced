/** An answer of ECR that is not a success: the name, status and members that go on the wire. */
export class EcrException extends Error {
  override readonly name: string;
  readonly httpStatus: number;
  /** Members beside `message`, for example `lastValidByteReceived`. */
  readonly members: Readonly<Record<string, unknown>>;
  /** Extra reply headers, for example `retry-after`. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    name: string,
    message: string,
    options: {
      readonly httpStatus?: number;
      readonly members?: Readonly<Record<string, unknown>>;
      readonly headers?: Readonly<Record<string, string>>;
    } = {},
  ) {
    super(message);
    this.name = name;
    this.httpStatus = options.httpStatus ?? 400;
    this.members = options.members ?? {};
    this.headers = options.headers ?? {};
  }

  /** The awsJson1_1 error document. */
  toJson(): string {
    return JSON.stringify({ __type: this.name, message: this.message, ...this.members });
  }
}

/** A parameter that breaks a constraint, in ECR's words (texts seen in aws-sdk#193, tart#890). */
export function invalidParameter(parameter: string, constraint: string): EcrException {
  return new EcrException(
    'InvalidParameterException',
    `Invalid parameter at '${parameter}' failed to satisfy constraint: '${constraint}'`,
  );
}

/** A body that does not deserialize: what AWS's JSON front ends answer before any validation. */
export function serializationFailure(message: string): EcrException {
  return new EcrException('SerializationException', message);
}

/** A quota of ECR's that is used up. */
export function limitExceeded(message: string): EcrException {
  return new EcrException('LimitExceededException', message);
}

/** A defect or an exhausted bound of the emulator itself. */
export function serverFailure(message: string, httpStatus = 500): EcrException {
  return new EcrException('ServerException', message, { httpStatus });
}

/** Whatever was thrown, as an answer: anything but an {@link EcrException} is our own defect. */
export function toException(error: unknown): EcrException {
  if (error instanceof EcrException) return error;
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return serverFailure(`Defect in the emulator: ${text}`);
}
