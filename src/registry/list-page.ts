/** One page of a list that a registry hands out, and where the next one is. */

import { type JsonObject, JsonProblem, readJsonObject } from '../image/json-document.ts';
import { readWhole } from './body-reader.ts';
import { nextLink } from './link-header.ts';
import { ReadFault } from './read-fault.ts';
import type { HttpReply } from './transport.ts';

/** Pages of one list. With the usual thousand a page, ten million tags. */
const PAGES_MAX = 10_000;
/** Some registries send all tags at once, and a tag has up to 128 characters. */
const PAGE_BYTES_MAX = 16 * 1024 * 1024;

/** Counts the pages of one list. */
export class PageTrail {
  readonly #visited = new Set<string>();

  /**
   * Where the list goes on. Only path and query count: behind proxies, some registries give their inner
   * host, and no other host should get our credentials.
   * @throws ReadFault if the list has no end
   */
  next(reply: HttpReply, page: URL): URL | undefined {
    const link = nextLink(reply.headers('link').join(', '));
    if (link === undefined || !URL.canParse(link, page.href)) return undefined;
    const { pathname, search } = new URL(link, page);
    const next = new URL(page);
    next.pathname = pathname;
    next.search = search;
    this.#visited.add(page.href);
    if (!this.#visited.has(next.href) && this.#visited.size < PAGES_MAX) return next;
    throw unreadable(page.host, `a list of more than ${PAGES_MAX} pages, or one without an end`);
  }
}

/** @throws ReadFault for anything but a JSON object of bounded size; what the connection threw */
export async function readPage(
  reply: HttpReply,
  stallTimeoutMs: number,
  signal: AbortSignal,
): Promise<JsonObject> {
  const { host } = reply.url;
  const body = await readWhole(reply, PAGE_BYTES_MAX, stallTimeoutMs, signal);
  if (body === undefined) throw unreadable(host, `a page of more than ${PAGE_BYTES_MAX} bytes`);
  try {
    return readJsonObject(body);
  } catch (error) {
    if (!(error instanceof JsonProblem)) throw error;
    throw unreadable(host, `a list that cannot be read: ${error.message}`);
  }
}

export function unreadable(host: string, problem: string): ReadFault {
  return new ReadFault('final', `${host} sends ${problem}`, 'its operator must mend that');
}
