/** Follows redirects by hand, so that nobody but the registry sees its credentials. */

import { ReadFault } from './read-fault.ts';
import type { HttpReply, HttpRequest, Transport } from './transport.ts';

const REDIRECTS_MAX = 5;
const REDIRECT_STATUS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/**
 * Sends the request and follows where the replies point.
 * @param mayDowngrade whether a reply over TLS may point to plain HTTP: only where a digest tells what
 * the bytes must be
 * @throws ReadFault
 */
export async function sendFollowing(
  transport: Transport,
  request: HttpRequest,
  mayDowngrade: boolean,
  signal: AbortSignal,
): Promise<HttpReply> {
  let current = request;
  for (let hop = 0; ; hop += 1) {
    const reply = await transport.send(current, signal);
    const location = reply.header('location');
    // A body is not sent on: it holds what only the addressed server may see.
    if (!REDIRECT_STATUS.has(reply.status) || location === undefined || current.method === 'POST') {
      return reply;
    }
    reply.discard();
    const { host } = current.url;
    if (hop >= REDIRECTS_MAX) {
      throw misdirected(host, `redirects more than ${REDIRECTS_MAX} times`, reply.status);
    }
    if (!URL.canParse(location, current.url.href)) {
      throw misdirected(host, 'redirects to what is no URL', reply.status);
    }
    const url = new URL(location, current.url);
    if (url.protocol !== 'https:' && url.protocol !== 'http:') {
      throw misdirected(host, `redirects to ${url.protocol}`, reply.status);
    }
    if (current.url.protocol === 'https:' && url.protocol === 'http:' && !mayDowngrade) {
      throw misdirected(host, `redirects to plain HTTP on ${url.host}`, reply.status);
    }
    const { authorization, ...headers } = current.headers;
    const stays = url.origin === current.url.origin && authorization !== undefined;
    current = { ...current, url, headers: stays ? { ...headers, authorization } : headers };
  }
}

function misdirected(host: string, problem: string, httpStatus: number): ReadFault {
  return new ReadFault('final', `${host} ${problem}`, 'its operator must mend that', {
    httpStatus,
  });
}
