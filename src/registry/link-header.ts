/** Where a list goes on: the Link header (RFC 8288). */

const HEADER_CHARACTERS_MAX = 16_384;
/** `<target>` and what follows it, up to the next comma outside of quotes. */
const LINK = /[ \t,]*<([^<>]*)>((?:[^",]|"(?:[^"\\]|\\.)*")*)/y;
const PARAMETER = /;[ \t]*([^\s=;,"]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s";,]*))/g;

/** The target of the first link with `rel="next"`, as written; never throws. */
export function nextLink(header: string): string | undefined {
  const text = header.slice(0, HEADER_CHARACTERS_MAX);
  LINK.lastIndex = 0;
  for (;;) {
    const [, target, parameters] = LINK.exec(text) ?? [];
    if (target === undefined || parameters === undefined) return undefined;
    for (const [, name, quoted, plain] of parameters.matchAll(PARAMETER)) {
      if (name?.toLowerCase() !== 'rel') continue;
      const relations = (quoted ?? plain ?? '').toLowerCase().split(/\s+/);
      if (relations.includes('next')) return target;
    }
  }
}
