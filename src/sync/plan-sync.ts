/** Works out what a sync would do: every tag, and what it costs. Nothing is sent. */

import pLimit from 'p-limit';
import type { ImagePlan } from '../image/image-plan.ts';
import { PART_SIZE_REPORTED_BYTES } from '../limits.ts';
import { Discovery } from './discovery.ts';
import type { ImageDelivery, ImageJob } from './image-job.ts';
import { PendingWork } from './pending-work.ts';
import { PlanTally } from './plan-tally.ts';
import type { SyncConfig } from './sync-config.ts';
import type { SyncOptions } from './sync-options.ts';
import type { PlannedSyncTag, PlannedSyncTarget, SyncPlan } from './sync-plan.ts';
import { openSync, type SyncStations } from './sync-stations.ts';
import { failedTag } from './tag-decision.ts';

/**
 * What a sync would do, and why; nothing is sent or created. Reads the manifests of every image that
 * would be copied. `runSync` carries the plan out.
 * @throws LongshoreError E_OPTION_INVALID, E_CLOSED; the signal's reason. What cannot be read of a source
 * or target is in the plan, tag by tag
 */
export async function planSync(config: SyncConfig, options: SyncOptions = {}): Promise<SyncPlan> {
  const { signal = new AbortController().signal } = options;
  signal.throwIfAborted();
  const stations = await openSync(config, options);
  try {
    const planner = new SyncPlanner(config, options, stations, signal);
    const plan = await planner.run();
    await stations.close();
    return plan;
  } catch (error) {
    await stations.destroy(error);
    throw error;
  }
}

class SyncPlanner {
  readonly #config: SyncConfig;
  readonly #options: SyncOptions;
  readonly #stations: SyncStations;
  readonly #signal: AbortSignal;
  readonly #limit: ReturnType<typeof pLimit>;
  readonly #tags: PlannedSyncTag[] = [];
  /** What was found out about a tag later than it was looked at. */
  readonly #corrections = new Map<PlannedSyncTag, PlannedSyncTag>();
  readonly #plans: { readonly delivery: ImageDelivery; readonly plan: ImagePlan }[] = [];

  constructor(
    config: SyncConfig,
    options: SyncOptions,
    stations: SyncStations,
    signal: AbortSignal,
  ) {
    this.#config = config;
    this.#options = options;
    this.#stations = stations;
    this.#signal = signal;
    this.#limit = pLimit(stations.imagesInFlight);
  }

  async run(): Promise<SyncPlan> {
    const jobs = new PendingWork();
    const { sources, destinations, digests, wanted } = this.#stations;
    const discovery = new Discovery(
      {
        config: this.#config,
        sources,
        destinations,
        digests,
        wanted,
        onListed: () => Promise.resolve(),
        onFailed: () => Promise.resolve(),
        onTags: (tags) => {
          this.#tags.push(...tags);
          return Promise.resolve();
        },
        onJob: (job) => {
          jobs.add(this.#limit(() => this.#look(job)));
          return Promise.resolve();
        },
      },
      this.#signal,
    );
    await discovery.run();
    await jobs.settled();
    const tags = this.#tags.map((tag) => this.#corrections.get(tag) ?? tag);
    return { config: this.#config, tags, targets: await this.#targets() };
  }

  async #look(job: ImageJob): Promise<void> {
    this.#signal.throwIfAborted();
    const { mapping, source, digest } = job;
    const [first] = job.deliveries;
    const image = source.image(digest, first?.tags[0]?.tag ?? '');
    for (const delivery of job.deliveries) {
      const { destination, repository, tags } = delivery;
      const request = {
        repository,
        image,
        tags: tags.map(({ tag }) => tag),
        platforms: mapping.platforms ?? [],
        referrers: mapping.referrers ?? false,
        createRepository: mapping.createRepository ?? false,
      };
      const call = { signal: this.#signal, drainSignal: this.#signal, onEvent: () => undefined };
      try {
        const plan = await destination.target.plan(request, call);
        this.#plans.push({ delivery, plan });
        this.#correct(tags, plan);
        if (mapping.platforms !== undefined) {
          this.#stations.digests.set(digest, mapping.platforms, plan.digest);
        }
      } catch (error) {
        this.#signal.throwIfAborted();
        for (const tag of tags) this.#corrections.set(tag, failedTag(tag, error));
      }
    }
  }

  /** With the manifests read it is known what the image will be in the target. */
  #correct(tags: readonly PlannedSyncTag[], plan: ImagePlan): void {
    const isComplete = plan.manifests.every(({ action }) => action === 'skip');
    for (const tag of tags) {
      const found = plan.tags.find((planned) => planned.tag === tag.tag);
      if (found?.action !== 'unchanged' || !isComplete) continue;
      this.#corrections.set(tag, { ...tag, action: 'skip', reason: 'unchanged' });
    }
  }

  async #targets(): Promise<readonly PlannedSyncTarget[]> {
    const { uploader = {} } = this.#options;
    const partSizeBytes = uploader.partSizeBytes ?? PART_SIZE_REPORTED_BYTES;
    const targets: PlannedSyncTarget[] = [];
    for (const destination of this.#stations.destinations.values()) {
      const ledger = await destination.ledger(this.#signal);
      const tally = new PlanTally(ledger.mounts, partSizeBytes, (digest) => ledger.homeOf(digest));
      for (const { delivery, plan } of this.#plans) {
        if (delivery.destination === destination) tally.add(plan);
      }
      const { name, callsPerSecondMax } = destination.target;
      targets.push(tally.result(name, callsPerSecondMax));
    }
    return targets;
  }
}
