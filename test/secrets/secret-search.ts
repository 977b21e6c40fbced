/** Looks for secrets in everything that a logger could get hold of. */

import { inspect } from 'node:util';
import { expect } from 'vitest';

/** Objects that are looked into; what hangs on an error has some hundred. */
const OBJECTS_MAX = 100_000;

/** What says that a signed request, or a login, is in sight, whoever's it is. */
const TRACES =
  /AWS4-HMAC-SHA256|Signature=|x-amz-security-token|proxy-authorization|Basic [A-Za-z0-9+/]{8}|Bearer \S/i;

/** Nothing of a value, however deep or hidden, shows one of these. */
export function expectNoSecret(value: unknown, secrets: readonly string[]): void {
  const text = everythingOf(value);
  const shown = secrets.filter((secret) => formsOf(secret).some((form) => text.includes(form)));
  expect(shown).toEqual([]);
  const [trace] = TRACES.exec(text) ?? [];
  expect(trace).toBeUndefined();
}

/** All texts that are reachable: names, values, members out of sight, as printed and as JSON. */
function everythingOf(value: unknown): string {
  const texts: string[] = [
    typeof value === 'string' ? value : (JSON.stringify(value) ?? ''),
    inspect(value, { showHidden: true, depth: 30, getters: true, maxStringLength: null }),
  ];
  const seen = new Set<object>();
  const open: unknown[] = [value];
  for (let next = open.pop(); open.length > 0 || next !== undefined; next = open.pop()) {
    if (typeof next === 'string') texts.push(next);
    if (typeof next !== 'object' || next === null || seen.has(next)) continue;
    seen.add(next);
    if (seen.size > OBJECTS_MAX) throw new Error('there is too much to look through');
    if (ArrayBuffer.isView(next)) {
      texts.push(Buffer.from(next.buffer, next.byteOffset, next.byteLength).toString('latin1'));
      continue;
    }
    if (next instanceof Map) open.push(...next.keys(), ...next.values());
    if (next instanceof Set) open.push(...next);
    for (const key of Reflect.ownKeys(next)) {
      texts.push(String(key));
      const { value: member } = Reflect.getOwnPropertyDescriptor(next, key) ?? {};
      if (member !== undefined) open.push(member);
    }
  }
  return texts.join('\n');
}

/** As it is, in a URL, and in base64 wherever in a text it stands. */
function formsOf(secret: string): readonly string[] {
  const encoded = [0, 1, 2].map((before) => {
    const text = Buffer.from(`${'\0'.repeat(before)}${secret}`).toString('base64');
    // The characters at both ends depend on what stands beside the secret.
    return text.slice(Math.ceil((before * 4) / 3), -4);
  });
  return [secret, encodeURIComponent(secret), ...encoded];
}
