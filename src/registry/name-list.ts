/** The tags of a repository, and the repositories of a registry. */

import { PageTrail, readPage, unreadable } from './list-page.ts';
import type { RegistrySession } from './session.ts';

export interface NamePages {
  read(
    url: URL,
    signal: AbortSignal,
  ): Promise<{ readonly names: readonly string[]; readonly next: URL | undefined }>;
}

/**
 * Reads the pages of one list.
 * @param repository whose scope is asked for
 * @param field of the document that holds the list
 */
export function readNamePages(
  session: RegistrySession,
  repository: string,
  field: 'tags' | 'repositories',
): NamePages {
  const trail = new PageTrail();
  return {
    read: (url, signal) =>
      session.perform(
        { method: 'GET', url, repository, isContentAddressed: false },
        async (reply) => {
          const page = await readPage(reply, session.options.stallTimeoutMs, signal);
          // Go writes an empty list as null.
          const names = page[field] ?? [];
          if (!Array.isArray(names) || !names.every((name) => typeof name === 'string')) {
            throw unreadable(url.host, `a list of ${field} that is none`);
          }
          return { names, next: trail.next(reply, url) };
        },
        signal,
      ),
  };
}
