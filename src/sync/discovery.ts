/** Looks at sources and targets, and tells tag by tag what there is to copy. */

import { setMaxListeners } from 'node:events';
import pLimit from 'p-limit';
import type { Digest } from '../digest.ts';
import type { Destination } from './destination.ts';
import {
  type DestinationRepository,
  type DestinationTags,
  readDestinationTags,
} from './destination-tags.ts';
import type { DigestCache } from './digest-cache.ts';
import { nothingFound } from './from-pattern.ts';
import { type ImageJob, jobsOf } from './image-job.ts';
import { repositoryNameFor } from './repository-name.ts';
import type { SourceRepositories, SourceRepository } from './source-repository.ts';
import type { SyncConfig, SyncMapping } from './sync-config.ts';
import { PendingWork } from './pending-work.ts';
import type { PlannedSyncTag } from './sync-plan.ts';
import { conflictingTag, decideTag, failedTag, filteredTag } from './tag-decision.ts';
import { compileTagFilter, type CompiledTagFilter, matchesAny } from './tag-filter.ts';
import type { WantedTags } from './wanted-tags.ts';

/** Source repositories listed at once. */
const REPOSITORIES_IN_FLIGHT = 8;
/** Tags looked at together: one call to each target (BatchGetImage, model, H). */
const TAGS_PER_CHUNK = 100;
const CHUNKS_IN_FLIGHT = 8;

export interface DiscoveryContext {
  readonly config: SyncConfig;
  readonly sources: SourceRepositories;
  readonly destinations: ReadonlyMap<string, Destination>;
  readonly digests: DigestCache;
  /** Tags of an earlier run that are to be tried again; all if there was none. */
  readonly wanted: WantedTags | undefined;
  readonly onListed: (source: string, tagCount: number, keptCount: number) => Promise<void>;
  /** A source, or a pattern of sources, could not be looked at; its tags are told of as well. */
  readonly onFailed: (source: string, error: unknown) => Promise<void>;
  readonly onTags: (tags: readonly PlannedSyncTag[]) => Promise<void>;
  readonly onJob: (job: ImageJob) => Promise<void>;
}

interface Lookup {
  readonly mapping: SyncMapping;
  readonly position: number;
  readonly filter: CompiledTagFilter;
  readonly source: SourceRepository;
  readonly repositories: readonly DestinationRepository[];
}

export class Discovery {
  readonly #context: DiscoveryContext;
  readonly #signal: AbortSignal;
  readonly #repositoryLimit = pLimit(REPOSITORIES_IN_FLIGHT);
  readonly #chunkLimit = pLimit(CHUNKS_IN_FLIGHT);

  /** @param signal ends it, also when it is only to be drained */
  constructor(context: DiscoveryContext, signal: AbortSignal) {
    this.#context = context;
    this.#signal = signal;
    setMaxListeners(0, signal);
  }

  /** @throws the signal's reason; whatever else fails is told tag by tag */
  async run(): Promise<void> {
    const { mappings } = this.#context.config;
    const pending = new PendingWork();
    for (const [position, mapping] of mappings.entries()) {
      // Patterns may overlap: each repository is looked at once a mapping.
      const seen = new Set<string>();
      for (const from of [mapping.from].flat()) {
        pending.add(this.#look(mapping, position, from, seen));
      }
    }
    await pending.settled();
  }

  async #look(
    mapping: SyncMapping,
    position: number,
    from: string,
    seen: Set<string>,
  ): Promise<void> {
    const filter = compileTagFilter(mapping.tags ?? {});
    const pending = new PendingWork();
    let isFound = false;
    try {
      for await (const source of this.#context.sources.expand(from, this.#signal)) {
        isFound = true;
        if (seen.has(source.name)) continue;
        seen.add(source.name);
        const task = { mapping, position, filter, source };
        pending.add(this.#repositoryLimit(() => this.#lookInto(task)));
      }
      // A mirror that does nothing looks as healthy as one that is up to date.
      if (!isFound) throw nothingFound(from);
    } catch (error) {
      // Nothing runs on behind the caller's back: it ends by the same signal.
      if (this.#signal.aborted) await pending.settled();
      this.#signal.throwIfAborted();
      await this.#failed(mapping, position, from, error);
    }
    await pending.settled();
  }

  #repositoriesFor(mapping: SyncMapping, source: SourceRepository): DestinationRepository[] {
    const { destinations } = this.#context;
    const repository = repositoryNameFor(mapping.to ?? '{repository}', source);
    return this.#targetsOf(mapping).flatMap((name) => {
      const destination = destinations.get(name);
      return destination === undefined ? [] : [{ destination, repository }];
    });
  }

  /** Each once, however often it is named. */
  #targetsOf({ targets }: SyncMapping): readonly string[] {
    return [...new Set(targets ?? this.#context.destinations.keys())];
  }

  async #lookInto(task: Omit<Lookup, 'repositories'>): Promise<void> {
    this.#signal.throwIfAborted();
    const { source, mapping, position } = task;
    if (this.#context.wanted?.hasSource(source.name) === false) return;
    let lookup: Lookup;
    let tags: readonly string[];
    try {
      // Of all that a pattern finds, one may have a name that ECR cannot have.
      lookup = { ...task, repositories: this.#repositoriesFor(mapping, source) };
      tags = await this.#tagsOf(lookup);
    } catch (error) {
      this.#signal.throwIfAborted();
      await this.#failed(mapping, position, source.name, error);
      return;
    }
    const pending = new PendingWork();
    for (let first = 0; first < tags.length; first += TAGS_PER_CHUNK) {
      const chunk = tags.slice(first, first + TAGS_PER_CHUNK);
      pending.add(this.#chunkLimit(() => this.#lookAt(lookup, chunk)));
    }
    await pending.settled();
  }

  /** Those that the filter takes; the others are told of. */
  async #tagsOf({ source, filter, position }: Lookup): Promise<readonly string[]> {
    const { wanted } = this.#context;
    const known = wanted?.tagsOf(source.name) ?? filter.literal;
    const all = known ?? (await this.#listed(source));
    const choices = filter.choose(all);
    const kept = choices.flatMap(({ tag, rule }) => (rule === undefined ? [tag] : []));
    await this.#context.onListed(source.name, all.length, kept.length);
    const filtered = choices.flatMap(({ tag, rule }) =>
      rule === undefined
        ? []
        : [filteredTag({ mapping: position, source: source.name, tag }, rule)],
    );
    if (filtered.length > 0) await this.#context.onTags(filtered);
    return kept;
  }

  async #listed(source: SourceRepository): Promise<readonly string[]> {
    const tags: string[] = [];
    for await (const page of source.tags(this.#signal)) tags.push(...page);
    return tags;
  }

  async #lookAt(lookup: Lookup, tags: readonly string[]): Promise<void> {
    this.#signal.throwIfAborted();
    const { mapping, source, repositories } = lookup;
    const isKept = (tag: string): boolean => matchesAny(mapping.immutableTags ?? [], tag);
    const reading = Promise.all(
      repositories.map((repository) => readDestinationTags(repository, tags, this.#signal)),
    );
    // What will not be looked at need not be asked for; else both sides are asked at once.
    const states = tags.some(isKept) ? await reading : undefined;
    const resolving = Promise.all(
      tags.map((tag) => {
        const isDone = isKept(tag) && states?.every(({ images }) => images.has(tag)) === true;
        return isDone ? Promise.resolve(NOT_ASKED) : this.#resolve(source, tag);
      }),
    );
    const [found, sources] = await Promise.all([reading, resolving]);
    const decided = found.flatMap((state) =>
      tags.map((tag, index) => ({
        planned: this.#decide(lookup, state, tag, sources[index] ?? NOT_ASKED, isKept(tag)),
        destination: state.destination,
      })),
    );
    const checked = await this.#withoutConflicts(lookup, decided);
    await this.#context.onTags(checked.map(({ planned }) => planned));
    for (const job of jobsOf(mapping, source, checked)) await this.#context.onJob(job);
  }

  #decide(
    { mapping, position, source }: Lookup,
    { destination, repository, images, error }: DestinationTags,
    tag: string,
    resolved: Resolved,
    isKept: boolean,
  ): PlannedSyncTag {
    const { wanted } = this.#context;
    const target = destination.target.name;
    const name = { mapping: position, source: source.name, tag, target, repository };
    const { digest, error: sourceError } = resolved;
    const planned = decideTag(name, {
      sourceDigest: digest,
      ...(sourceError !== undefined && { sourceError }),
      existing: images.get(tag)?.digest,
      ...(error !== undefined && { targetError: error }),
      expected: digest && this.#expected(digest, mapping),
      referrers: mapping.referrers ?? false,
      isKept,
    });
    if (planned.action === 'skip' || wanted === undefined || wanted.has(planned)) return planned;
    return {
      ...planned,
      action: 'skip',
      reason: 'filtered',
      detail: 'the report had it done',
      code: undefined,
    };
  }

  /** What the image will be in a target. */
  #expected(digest: Digest, { platforms = [] }: SyncMapping): Digest | undefined {
    return platforms.length === 0 ? digest : this.#context.digests.get(digest, platforms);
  }

  async #resolve(source: SourceRepository, tag: string): Promise<Resolved> {
    try {
      return { digest: await source.resolve(tag, this.#signal), error: undefined };
    } catch (error) {
      this.#signal.throwIfAborted();
      return { digest: undefined, error };
    }
  }

  /** Tags that may not move are told of before their images are looked into. */
  async #withoutConflicts(
    { mapping, repositories }: Lookup,
    decided: readonly Decided[],
  ): Promise<readonly Decided[]> {
    const immutable = new Map<Destination, ReadonlySet<string>>();
    for (const { destination, repository } of repositories) {
      const moved = decided.flatMap(({ planned, destination: own }) =>
        own === destination && this.#isMoved(planned, mapping) ? [planned.tag] : [],
      );
      if (moved.length === 0) continue;
      try {
        const found = await destination.target.immutableTags(repository, moved, this.#signal);
        immutable.set(destination, new Set(found));
      } catch {
        // PutImage will tell.
        this.#signal.throwIfAborted();
      }
    }
    return decided.map(({ planned, destination }) => {
      const isImmutable = immutable.get(destination)?.has(planned.tag) === true;
      const isConflict = isImmutable && this.#isMoved(planned, mapping);
      return { planned: isConflict ? conflictingTag(planned) : planned, destination };
    });
  }

  /** For sure: with a choice of platforms that is not known before the manifests are read. */
  #isMoved({ action, reason, sourceDigest }: PlannedSyncTag, mapping: SyncMapping): boolean {
    if (action !== 'copy' || reason !== 'moved' || sourceDigest === undefined) return false;
    return this.#expected(sourceDigest, mapping) !== undefined;
  }

  async #failed(
    mapping: SyncMapping,
    position: number,
    name: string,
    error: unknown,
  ): Promise<void> {
    const unknown = { sourceDigest: undefined, previousDigest: undefined };
    await this.#context.onFailed(name, error);
    await this.#context.onTags(
      this.#targetsOf(mapping).map((target) => {
        const entry = { mapping: position, source: name, tag: '*', target, repository: undefined };
        return failedTag({ ...entry, ...unknown }, error);
      }),
    );
  }
}

interface Decided {
  readonly planned: PlannedSyncTag;
  readonly destination: Destination;
}

interface Resolved {
  readonly digest: Digest | undefined;
  readonly error: unknown;
}

const NOT_ASKED: Resolved = { digest: undefined, error: undefined };
