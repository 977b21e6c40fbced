/** Carries a sync out, and tells of it event by event. */

import { setMaxListeners } from 'node:events';
import { performance } from 'node:perf_hooks';
import { Discovery } from './discovery.ts';
import { EventQueue } from './event-queue.ts';
import { findPlannedJobs } from './planned-jobs.ts';
import type { SyncConfig } from './sync-config.ts';
import type { SyncEvent } from './sync-events.ts';
import type { SyncOptions } from './sync-options.ts';
import type { SyncPlan } from './sync-plan.ts';
import type { SyncReport } from './sync-report.ts';
import { SyncRun } from './sync-run.ts';
import { openSync, type SyncStations } from './sync-stations.ts';
import { failureFactsOf } from './tag-failure.ts';

const PROGRESS_INTERVAL_MS = 1000;

/**
 * Copies what a configuration asks for, or what a plan of it says. An async generator: it works while it
 * is iterated over (at most a thousand events ahead), and returns the report, which is also the last
 * event. Leaving the loop early breaks the work off. One image that fails never stops the others.
 *
 * After a crash run it again: what the targets have is found there, and with
 * `uploader.resumeDirectory` layers go on where they were.
 * @throws LongshoreError E_OPTION_INVALID; the signal's reason, after the report as the last event
 */
export async function* runSync(
  what: SyncConfig | SyncPlan,
  options: SyncOptions = {},
): AsyncGenerator<SyncEvent, SyncReport, void> {
  options.signal?.throwIfAborted();
  const plan = 'config' in what ? what : undefined;
  const config = 'config' in what ? what.config : what;
  const events = new EventQueue<SyncEvent>();
  const stations = await openSync(config, options, (registry, resumesInMs, message) => {
    void events.push({ type: 'source-paused', registry, resumesInMs, message });
  });
  // Ends the work when the caller stops listening.
  const abandoned = new AbortController();
  const work = perform(config, plan, options, stations, events, abandoned.signal);
  work.catch(() => undefined);
  try {
    yield* events.take();
    return await work;
  } finally {
    abandoned.abort(new Error('nobody listens to the sync any more'));
    events.end();
    await work.catch(() => undefined);
  }
}

/** Rejects only with the signal's reason, and for what is wrong with longshore itself. */
async function perform(
  config: SyncConfig,
  plan: SyncPlan | undefined,
  options: SyncOptions,
  stations: SyncStations,
  events: EventQueue<SyncEvent>,
  abandoned: AbortSignal,
): Promise<SyncReport> {
  const startedAtMs = Date.now();
  const begun = performance.now();
  const none = new AbortController().signal;
  const signal = AbortSignal.any([options.signal ?? none, abandoned]);
  const drainSignal = AbortSignal.any([options.drainSignal ?? none, abandoned]);
  for (const one of [signal, drainSignal]) setMaxListeners(0, one);
  const { destinations, digests, reads, imagesInFlight, sources } = stations;
  const context = { destinations, reads, digests, imagesInFlight, signal, drainSignal, events };
  const run = new SyncRun(context);
  const timer = setInterval(() => run.tellProgress(), PROGRESS_INTERVAL_MS);
  let failure: { readonly error: unknown } | undefined;
  try {
    await discover(config, plan, stations, events, run);
    run.discovered();
  } catch (error) {
    failure = { error };
  }
  try {
    await run.finish();
  } catch (error) {
    failure ??= { error };
  }
  clearInterval(timer);
  const isInterrupted = signal.aborted || drainSignal.aborted;
  try {
    if (signal.aborted) await stations.destroy(signal.reason);
    else await stations.close();
    if (failure !== undefined && !isInterrupted) throw failure.error;
    // Who was asked to end when all was done was not interrupted.
    const isCutShort = isInterrupted && (failure !== undefined || run.record.openTagCount > 0);
    const report = run.record.report(
      startedAtMs,
      Math.round(performance.now() - begun),
      isCutShort,
      [...destinations.values()].map((destination) => destination.report()),
      sources.usage(),
    );
    run.tellProgress();
    void events.push({ type: 'sync-completed', report });
    signal.throwIfAborted();
    return report;
  } finally {
    events.end();
  }
}

async function discover(
  config: SyncConfig,
  plan: SyncPlan | undefined,
  stations: SyncStations,
  events: EventQueue<SyncEvent>,
  run: SyncRun,
): Promise<void> {
  const { sources, destinations, digests, wanted } = stations;
  if (plan !== undefined) {
    await run.tagsPlanned(plan.tags);
    for (const job of findPlannedJobs(plan, sources, destinations)) await run.jobFound(job);
    return;
  }
  const discovery = new Discovery(
    {
      config,
      sources,
      destinations,
      digests,
      wanted,
      onListed: (source, tagCount, keptCount) =>
        events.push({ type: 'repository-listed', source, tagCount, keptCount }),
      onFailed: (source, error) => {
        const { code, message } = failureFactsOf(error);
        return events.push({ type: 'repository-failed', source, code, message });
      },
      onTags: (tags) => run.tagsPlanned(tags),
      onJob: (job) => run.jobFound(job),
    },
    run.beginSignal,
  );
  await discovery.run();
}
