/**
 * AWS Signature Version 4 as the server sees it. Written from AWS's public description and from
 * scratch: it judges clients, so it shares no code with any.
 */

import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { CLOCK_SKEW_MAX_MS } from './emulator-limits.ts';
import { EcrException } from './exception.ts';

/** Keys that the emulator knows. */
export interface EmulatorCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export interface SignedHead {
  readonly method: string;
  /** Path and query as on the request line. */
  readonly target: string;
  /** Lower-case names; values of repeated headers joined by `, `. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface SignatureContext {
  readonly credentials: EmulatorCredentials;
  readonly region: string;
  readonly nowMs: number;
}

/** A signature whose form, key, scope and date are sound, and which still waits for the body. */
export interface PendingSignature {
  /** What `x-amz-content-sha256` says; if undefined, the body's own hash was signed. */
  readonly claimedPayloadHash: string | undefined;
  /** Compares with what we calculate for a body of this hash. */
  refusal(payloadHash: string): EcrException | undefined;
}

const ALGORITHM = 'AWS4-HMAC-SHA256';
const SERVICE = 'ecr';
const MUST_BE_SIGNED = [
  'host',
  'x-amz-content-sha256',
  'x-amz-date',
  'x-amz-security-token',
  'x-amz-target',
];
const COMPACT_DATE = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/;

/**
 * Checks all of a signature that the request head decides. All refusals are HTTP 400, as the
 * awsJson1_1 services answer (seen for ECR in aws-credentials-plugin#270, M).
 *
 * @throws EcrException `MissingAuthenticationTokenException`, `IncompleteSignatureException`,
 * `UnrecognizedClientException` or `InvalidSignatureException`.
 */
export function readSignature(head: SignedHead, context: SignatureContext): PendingSignature {
  const { headers } = head;
  const { credentials, region, nowMs } = context;
  const authorization = headers['authorization'];
  if (authorization === undefined) {
    throw new EcrException('MissingAuthenticationTokenException', 'Missing Authentication Token');
  }
  const { accessKeyId, scope, signedHeaders, signature } = parseAuthorization(authorization);
  const date = headers['x-amz-date'];
  const signedAtMs = parseCompactDate(date);
  if (date === undefined || signedAtMs === undefined) {
    throw new EcrException(
      'IncompleteSignatureException',
      "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. " +
        `Authorization=${authorization.slice(0, 60)}`,
    );
  }
  assertKnown(accessKeyId, headers['x-amz-security-token'], credentials);
  assertScope(scope, { date, region });
  assertFresh(signedAtMs, nowMs);
  for (const name of MUST_BE_SIGNED) {
    if (headers[name] !== undefined && !signedHeaders.includes(name)) {
      throw invalidSignature(`'${name}' must be a 'SignedHeader' in the AWS Authorization.`);
    }
  }
  const key = signingKey(credentials.secretAccessKey, scope);
  return {
    claimedPayloadHash: headers['x-amz-content-sha256'],
    refusal: (payloadHash) => {
      const canonicalRequest = [
        head.method,
        canonicalPath(head.target),
        canonicalQuery(head.target),
        ...signedHeaders.map((name) => `${name}:${canonicalValue(headers[name] ?? '')}`),
        '',
        signedHeaders.join(';'),
        payloadHash,
      ].join('\n');
      const stringToSign = [ALGORITHM, date, scope.join('/'), sha256Hex(canonicalRequest)];
      const expected = hmac(key, stringToSign.join('\n')).toString('hex');
      return isSame(expected, signature) ? undefined : doesNotMatch();
    },
  };
}

/** Answer to a wrong secret or an altered request (AWS's own text, H). */
function doesNotMatch(): EcrException {
  return invalidSignature(
    'The request signature we calculated does not match the signature you provided. Check your ' +
      'AWS Secret Access Key and signing method. Consult the service documentation for details.',
  );
}

function parseAuthorization(header: string): {
  readonly accessKeyId: string;
  readonly scope: readonly string[];
  readonly signedHeaders: readonly string[];
  readonly signature: string;
} {
  const [algorithm, ...rest] = header.trim().split(/\s+/);
  const fields = new Map<string, string>();
  for (const field of rest.join('').split(',')) {
    const equals = field.indexOf('=');
    if (equals > 0) fields.set(field.slice(0, equals), field.slice(equals + 1));
  }
  const missing = ['Credential', 'Signature', 'SignedHeaders'].filter((name) => !fields.get(name));
  if (algorithm !== ALGORITHM || missing.length > 0) {
    const demands = missing.map((name) => `Authorization header requires '${name}' parameter.`);
    throw new EcrException(
      'IncompleteSignatureException',
      `${demands.join(' ')} Authorization=${(algorithm ?? '').slice(0, 60)}`.trim(),
    );
  }
  const [accessKeyId, ...scope] = (fields.get('Credential') ?? '').split('/');
  return {
    accessKeyId: accessKeyId ?? '',
    scope,
    signedHeaders: (fields.get('SignedHeaders') ?? '').toLowerCase().split(';'),
    signature: fields.get('Signature') ?? '',
  };
}

function assertKnown(
  accessKeyId: string,
  token: string | undefined,
  credentials: EmulatorCredentials,
): void {
  // A wrong session token and an unknown key look the same from outside.
  if (accessKeyId === credentials.accessKeyId && token === credentials.sessionToken) return;
  throw new EcrException(
    'UnrecognizedClientException',
    'The security token included in the request is invalid.',
  );
}

function assertScope(
  scope: readonly string[],
  expected: { readonly date: string; readonly region: string },
): void {
  const [day, region, service, terminator] = scope;
  const complaints: string[] = [];
  if (region !== expected.region) {
    complaints.push('Credential should be scoped to a valid region.');
  }
  if (service !== SERVICE) {
    complaints.push(`Credential should be scoped to correct service: '${SERVICE}'.`);
  }
  if (terminator !== 'aws4_request' || scope.length !== 4) {
    complaints.push("Credential should be scoped with a valid terminator: 'aws4_request'.");
  }
  const dayOfRequest = expected.date.slice(0, 8);
  if (day !== dayOfRequest) {
    complaints.push(
      'Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from ' +
        `HTTP: '${day ?? ''}' != '${dayOfRequest}', from '${expected.date}'.`,
    );
  }
  if (complaints.length > 0) throw invalidSignature(complaints.join(' '));
}

function assertFresh(signedAtMs: number, nowMs: number): void {
  const signedAt = compactDate(signedAtMs);
  const now = compactDate(nowMs);
  const minutes = CLOCK_SKEW_MAX_MS / 60_000;
  if (signedAtMs < nowMs - CLOCK_SKEW_MAX_MS) {
    const limit = compactDate(nowMs - CLOCK_SKEW_MAX_MS);
    throw invalidSignature(
      `Signature expired: ${signedAt} is now earlier than ${limit} (${now} - ${minutes} min.)`,
    );
  }
  if (signedAtMs > nowMs + CLOCK_SKEW_MAX_MS) {
    const limit = compactDate(nowMs + CLOCK_SKEW_MAX_MS);
    throw invalidSignature(
      `Signature not yet current: ${signedAt} is still later than ${limit} ` +
        `(${now} + ${minutes} min.)`,
    );
  }
}

function parseCompactDate(text: string | undefined): number | undefined {
  const [, year, month, day, hour, minute, second] = COMPACT_DATE.exec(text ?? '') ?? [];
  if (year === undefined) return undefined;
  const ms = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(ms) ? undefined : ms;
}

function compactDate(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`;
}

function canonicalPath(target: string): string {
  const path = target.split('?', 1)[0] ?? '';
  return path === '' ? '/' : path;
}

function canonicalQuery(target: string): string {
  const mark = target.indexOf('?');
  if (mark === -1) return '';
  const pairs = target.slice(mark + 1).split('&');
  return pairs
    .map((pair) => (pair.includes('=') ? pair : `${pair}=`))
    .toSorted()
    .join('&');
}

function canonicalValue(value: string): string {
  return value.trim().replaceAll(/ +/g, ' ');
}

function signingKey(secretAccessKey: string, scope: readonly string[]): Buffer {
  let key = Buffer.from(`AWS4${secretAccessKey}`);
  for (const piece of scope) key = hmac(key, piece);
  return key;
}

function hmac(key: Buffer, text: string): Buffer<ArrayBuffer> {
  return Buffer.from(createHmac('sha256', key).update(text).digest());
}

function sha256Hex(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function isSame(expected: string, actual: string): boolean {
  const left = Buffer.from(expected);
  const right = Buffer.from(actual);
  return left.length === right.length && timingSafeEqual(left, right);
}

function invalidSignature(message: string): EcrException {
  return new EcrException('InvalidSignatureException', message);
}
