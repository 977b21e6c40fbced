/** What a registry means by a reply that is not a success. */

import { readWhole } from './body-reader.ts';
import { rateNoticeOf } from './rate-notice.ts';
import { type FaultFacts, type FaultKind, ReadFault } from './read-fault.ts';
import type { HttpReply } from './transport.ts';

/** Error documents are a few hundred bytes. */
const ERROR_BYTES_MAX = 65_536;
/** Of a date; nobody waits for more, and some dates are years away. */
const RETRY_AFTER_TOLD_MS_MAX: number = 24 * 3_600_000;
const CODE_CHARACTERS_MAX = 100;
const TEXT_CHARACTERS_MAX = 300;

/** Not implemented, and wrong versions of HTTP: they stay. */
const FINAL_SERVER_STATUS: ReadonlySet<number> = new Set([501, 505]);
const TRANSIENT_STATUS: ReadonlySet<number> = new Set([408, 425, 429]);

/**
 * Reads the reply to its end.
 * @param isOwn whether the registry itself answered, and not whom it sent us to
 */
export async function refusalOf(
  reply: HttpReply,
  isOwn: boolean,
  stallTimeoutMs: number,
  signal: AbortSignal,
): Promise<ReadFault> {
  const { status, url } = reply;
  const { code, text } = await errorOf(reply, stallTimeoutMs, signal);
  const retryAfterMs = retryAfterMsOf(reply);
  const kind = kindOf(status, code, isOwn);
  const facts: FaultFacts = {
    httpStatus: status,
    ...(code !== undefined && { registryCode: code }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    ...(status === 429 && { rate: rateNoticeOf(reply) }),
  };
  const said = [code, text].filter((part) => part !== undefined).join(': ');
  const answer = `${url.host} answered ${status}${said === '' ? '' : ` (${said})`}`;
  if (status === 429) {
    return new ReadFault(kind, `${answer}${limitOf(reply)}`, throttledRemedy(retryAfterMs), facts);
  }
  if (status === 407) {
    return new ReadFault(kind, 'a proxy answered 407', 'check the credentials of the proxy', facts);
  }
  return new ReadFault(kind, answer, remedyOf(kind, isOwn), facts);
}

function kindOf(status: number, code: string | undefined, isOwn: boolean): FaultKind {
  // ECR answers 400 and UNAUTHORIZED to a password that is no token of its own.
  const isAboutLogin = status === 400 && code === 'UNAUTHORIZED';
  if (status === 401 || status === 403 || isAboutLogin) {
    // A storage that refuses its own link: the registry gives out a new one.
    return isOwn ? 'denied' : 'transient';
  }
  if (status === 404) return 'missing';
  if (status >= 500) return FINAL_SERVER_STATUS.has(status) ? 'final' : 'transient';
  return TRANSIENT_STATUS.has(status) ? 'transient' : 'final';
}

function remedyOf(kind: FaultKind, isOwn: boolean): string {
  if (kind === 'transient') {
    return isOwn
      ? 'try again later'
      : 'the registry sent us there for the bytes; check that it can be reached, and the clocks';
  }
  return kind === 'missing'
    ? 'check the reference'
    : 'check that the reference names a registry for container images';
}

function throttledRemedy(retryAfterMs: number | undefined): string {
  const when =
    retryAfterMs === undefined
      ? 'try again later'
      : `try again in ${Math.ceil(retryAfterMs / 1000)} seconds`;
  return `${when}; who is logged in may usually read more`;
}

/** What Docker Hub and others say of their limits: `100;w=21600` is 100 in six hours. */
function limitOf(reply: HttpReply): string {
  const limit = reply.header('ratelimit-limit');
  const [, count, windowSeconds] = /^([0-9]{1,9})(?:;w=([0-9]{1,9}))?/.exec(limit ?? '') ?? [];
  if (count === undefined) return '';
  return `, its limit is ${count} requests${windowSeconds === undefined ? '' : ` in ${windowSeconds} seconds`}`;
}

/** In seconds or as a date; some only say when their window ends. */
function retryAfterMsOf(reply: HttpReply): number | undefined {
  const after = reply.header('retry-after') ?? reply.header('ratelimit-reset');
  if (after === undefined) return undefined;
  if (/^[0-9]{1,9}(\.[0-9]+)?$/.test(after)) {
    const seconds = Number(after);
    // Some write a time of day, in seconds since 1970.
    return seconds > 1e9 ? undefined : seconds * 1000;
  }
  const date = Date.parse(after);
  // By the server's own clock, if it tells: ours may be off.
  const now = Date.parse(reply.header('date') ?? '') || Date.now();
  return Number.isNaN(date)
    ? undefined
    : Math.min(Math.max(0, date - now), RETRY_AFTER_TOLD_MS_MAX);
}

/** The first of the errors that OCI's format lists; nothing of what is no such document. */
async function errorOf(
  reply: HttpReply,
  stallTimeoutMs: number,
  signal: AbortSignal,
): Promise<{ readonly code?: string; readonly text?: string }> {
  if (reply.header('content-type')?.includes('json') !== true) {
    reply.discard();
    return {};
  }
  try {
    const body = await readWhole(reply, ERROR_BYTES_MAX, stallTimeoutMs, signal);
    const document: unknown = JSON.parse(String(body ?? '{}'));
    const { errors } = document as { errors?: readonly { code?: unknown; message?: unknown }[] };
    const first = errors?.[0];
    return {
      ...(typeof first?.code === 'string' && { code: plain(first.code, CODE_CHARACTERS_MAX) }),
      ...(typeof first?.message === 'string' && {
        text: plain(first.message, TEXT_CHARACTERS_MAX),
      }),
    };
  } catch (error) {
    // The status says enough.
    if (signal.aborted) throw error;
    return {};
  }
}

/** One line for a terminal. */
function plain(text: string, charactersMax: number): string {
  return text.replaceAll(/[^\x20-\x7e]+/g, ' ').slice(0, charactersMax);
}
