/** The tags of a repository. */

import { PageTrail, readPage, unreadable } from './list-page.ts';
import type { RegistrySession } from './session.ts';

export interface TagPages {
  read(
    url: URL,
    signal: AbortSignal,
  ): Promise<{ readonly tags: readonly string[]; readonly next: URL | undefined }>;
}

/** Reads the pages of one list. */
export function readTagPages(session: RegistrySession, repository: string): TagPages {
  const trail = new PageTrail();
  return {
    read: (url, signal) =>
      session.perform(
        { method: 'GET', url, repository, isContentAddressed: false },
        async (reply) => {
          const { tags } = await readPage(reply, session.options.stallTimeoutMs, signal);
          // Go writes an empty list as null.
          const list = tags ?? [];
          if (!Array.isArray(list) || !list.every((tag) => typeof tag === 'string')) {
            throw unreadable(url.host, 'a list of tags that is none');
          }
          return { tags: list, next: trail.next(reply, url) };
        },
        signal,
      ),
  };
}
