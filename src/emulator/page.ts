/** Pages of a sorted list, with tokens that survive changes of the list. */

import { PAGE_SIZE_DEFAULT } from './emulator-limits.ts';
import { invalidParameter } from './exception.ts';

export interface Page<Item> {
  readonly items: readonly Item[];
  readonly nextToken?: string;
}

/**
 * The page of `items` (sorted by `keyOf`) behind `nextToken`.
 *
 * @throws EcrException `InvalidParameterException` for a token that we did not give out.
 */
export function pageOf<Item>(
  items: readonly Item[],
  keyOf: (item: Item) => string,
  request: { readonly nextToken?: string; readonly maxResults?: number },
): Page<Item> {
  const after = request.nextToken === undefined ? undefined : decode(request.nextToken);
  const start = after === undefined ? 0 : items.findIndex((item) => keyOf(item) > after);
  if (start === -1) return { items: [] };
  const end = start + (request.maxResults ?? PAGE_SIZE_DEFAULT);
  const page = items.slice(start, end);
  const last = page.at(-1);
  if (end >= items.length || last === undefined) return { items: page };
  return { items: page, nextToken: encode(keyOf(last)) };
}

function encode(key: string): string {
  return Buffer.from(JSON.stringify({ after: key })).toString('base64url');
}

function decode(token: string): string {
  try {
    const value: unknown = JSON.parse(Buffer.from(token, 'base64url').toString('utf8'));
    if (typeof value === 'object' && value !== null && 'after' in value) {
      if (typeof value.after === 'string') return value.after;
    }
  } catch {
    // Falls through to the refusal.
  }
  throw invalidParameter('nextToken', 'must be a token returned by an earlier call');
}
