/** The tags that an earlier run did not bring to an end: `onlyFailed`. */

import { optionInvalid } from '../errors.ts';
import type { SyncEntryName } from './sync-plan.ts';
import type { SyncReport } from './sync-report.ts';

type Entry = Omit<SyncEntryName, 'mapping'>;

export class WantedTags {
  readonly #entries = new Set<string>();
  readonly #tags = new Map<string, Set<string>>();
  /** Sources, and patterns of sources, of which not even the tags are known: all of them are tried. */
  readonly #unlisted = new Set<string>();
  /** Sources that were listed, whatever became of their tags. */
  readonly #listed = new Set<string>();
  #hasPatterns = false;
  /** Of a run that was interrupted: what it had not come to is not in its report, and wanted as well. */
  #done: Set<string> | undefined;

  /** @throws LongshoreError E_OPTION_INVALID for what is no report of this version */
  constructor(report: SyncReport) {
    const { version, tags } = report as Partial<SyncReport>;
    if (version !== 1 || !Array.isArray(tags)) {
      throw optionInvalid('onlyFailed', 'a report of this version of longshore', 'something else');
    }
    this.#done = report.outcome === 'interrupted' ? new Set() : undefined;
    for (const { source, tag, target, repository, status } of report.tags) {
      if (tag !== '*') this.#listed.add(source);
      if (status !== 'failed' && status !== 'not-started') {
        this.#done?.add(keyOf({ source, tag, target, repository }));
        continue;
      }
      if (tag === '*') {
        this.#unlisted.add(source);
        this.#hasPatterns ||= source.includes('*');
        continue;
      }
      this.#entries.add(keyOf({ source, tag, target, repository }));
      const known = this.#tags.get(source) ?? new Set<string>();
      this.#tags.set(source, known.add(tag));
    }
  }

  /** Whether anything of it is to be tried. */
  hasSource(source: string): boolean {
    return this.#isUnlisted(source) || this.#tags.has(source);
  }

  /** The tags to try; `undefined` for all. */
  tagsOf(source: string): readonly string[] | undefined {
    return this.#isUnlisted(source) ? undefined : [...(this.#tags.get(source) ?? [])];
  }

  has(entry: Entry): boolean {
    const key = keyOf(entry);
    if (this.#done !== undefined) return !this.#done.has(key);
    return this.#entries.has(key) || this.#isUnlisted(entry.source);
  }

  /** Where a pattern could not be looked at, whatever is not in the report may have been meant by it. */
  #isUnlisted(source: string): boolean {
    if (this.#done !== undefined || this.#unlisted.has(source)) return true;
    return this.#hasPatterns && !this.#listed.has(source);
  }
}

function keyOf({ source, tag, target, repository }: Entry): string {
  return [source, tag, target ?? '', repository ?? ''].join('\n');
}
