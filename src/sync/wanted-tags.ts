/** The tags that an earlier run did not bring to an end: `onlyFailed`. */

import { optionInvalid } from '../errors.ts';
import type { SyncEntryName } from './sync-plan.ts';
import type { SyncReport } from './sync-report.ts';

type Entry = Omit<SyncEntryName, 'mapping'>;

export class WantedTags {
  readonly #entries = new Set<string>();
  readonly #tags = new Map<string, Set<string>>();
  /** Sources of which not even the tags are known: all of them are tried. */
  readonly #unlisted = new Set<string>();

  /** @throws LongshoreError E_OPTION_INVALID for what is no report of this version */
  constructor(report: SyncReport) {
    const { version, tags } = report as Partial<SyncReport>;
    if (version !== 1 || !Array.isArray(tags)) {
      throw optionInvalid('onlyFailed', 'a report of this version of longshore', 'something else');
    }
    for (const { source, tag, target, repository, status } of report.tags) {
      if (status !== 'failed' && status !== 'not-started') continue;
      if (tag === '*') {
        this.#unlisted.add(source);
        continue;
      }
      this.#entries.add(keyOf({ source, tag, target, repository }));
      const known = this.#tags.get(source) ?? new Set<string>();
      this.#tags.set(source, known.add(tag));
    }
  }

  /** Whether anything of it is to be tried; a pattern of sources always is. */
  hasSource(source: string): boolean {
    return this.#unlisted.size > 0 || this.#tags.has(source);
  }

  /** The tags to try; `undefined` for all. */
  tagsOf(source: string): readonly string[] | undefined {
    if (this.#unlisted.size > 0 && !this.#tags.has(source)) return undefined;
    return [...(this.#tags.get(source) ?? [])];
  }

  has(entry: Entry): boolean {
    if (this.#entries.has(keyOf(entry))) return true;
    // Of a source that could not be listed nothing else is in the report.
    return this.#unlisted.size > 0 && !this.#tags.has(entry.source);
  }
}

function keyOf({ source, tag, target, repository }: Entry): string {
  return [source, tag, target ?? '', repository ?? ''].join('\n');
}
