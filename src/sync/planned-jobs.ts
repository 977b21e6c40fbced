/** Makes the jobs of a plan: the images that it found, by their digests, whatever the tags are by now. */

import type { Destination } from './destination.ts';
import { type ImageJob, jobsOf } from './image-job.ts';
import type { SourceRepositories } from './source-repository.ts';
import type { PlannedSyncTag, SyncPlan } from './sync-plan.ts';

export function* findPlannedJobs(
  { tags, config }: SyncPlan,
  sources: Pick<SourceRepositories, 'named'>,
  destinations: ReadonlyMap<string, Destination>,
): Generator<ImageJob, void> {
  const bySource = new Map<string, { planned: PlannedSyncTag; destination: Destination }[]>();
  for (const planned of tags) {
    const destination = destinations.get(planned.target ?? '');
    if (planned.action !== 'copy' || destination === undefined) continue;
    const key = `${planned.mapping} ${planned.source}`;
    const known = bySource.get(key) ?? [];
    bySource.set(key, known);
    known.push({ planned, destination });
  }
  for (const found of bySource.values()) {
    const [first] = found;
    const mapping = first && config.mappings[first.planned.mapping];
    if (first === undefined || mapping === undefined) continue;
    yield* jobsOf(mapping, sources.named(first.planned.source), found);
  }
}
