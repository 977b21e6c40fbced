const VOID = new Set(['meta', 'br', 'img', 'link']);

/** Tags of HTML or SVG that are opened and never closed, or closed in the wrong order. */
export function unclosedTags(text: string): string[] {
  const open: string[] = [];
  const wrong: string[] = [];
  const withoutStyle = text.replaceAll(/<style>[\s\S]*?<\/style>/g, '');
  for (const [, slash, name = '', rest = ''] of withoutStyle.matchAll(
    /<(\/?)([a-zA-Z][\w-]*)((?:"[^"]*"|[^">])*)>/g,
  )) {
    if (slash === '/') {
      if (open.pop() !== name) wrong.push(`/${name}`);
    } else if (!rest.endsWith('/') && !VOID.has(name)) open.push(name);
  }
  return [...wrong, ...open];
}
