/** Runs one sync to its end, or to the user's. */

import type { CliContext } from './context.ts';
import { chooseProgressKind } from './progress/progress-start.ts';
import { plural } from './progress/quantity-format.ts';
import type { SyncDisplay } from './progress/sync-display.ts';
import { startSyncDisplay } from './progress/sync-display-start.ts';
import { readSyncFile } from './sync-file.ts';
import type { SyncFlags } from './sync-flags.ts';
import type { SyncEvent, SyncFunctions, SyncOptions, SyncReport } from './sync-functions.ts';
import type { SyncInterruption } from './sync-interruption.ts';

/** What is run, once or again and again. */
export interface SyncJob {
  readonly sync: SyncFunctions;
  /** The configuration, read anew for every run. */
  readonly file: string;
  readonly options: SyncOptions;
  readonly flags: SyncFlags;
}

/** How a sync ended: with its report, or before it could have one. */
export type SyncEnding =
  | { readonly report: SyncReport }
  | {
      readonly error: unknown;
      /** What was known when the user stopped the sync at once. */
      readonly unfinished?: SyncReport;
    };

/** Who wants to know of runs, such as the metrics. */
export interface SyncObserver {
  runStarted(): void;
  record(event: SyncEvent): void;
  runEnded(ending: SyncEnding): void;
}

/** Nothing is thrown. */
export async function runSyncJob(
  context: CliContext,
  job: SyncJob,
  interruption: SyncInterruption,
  observers: readonly SyncObserver[] = [],
): Promise<SyncEnding> {
  const display = startDisplay(context, job.flags);
  let inFlightCount = 0;
  const sayDrain = (): void => display.say(drainLine(inFlightCount));
  interruption.drainSignal.addEventListener('abort', sayDrain, { once: true });
  for (const observer of observers) observer.runStarted();
  const ending = await follow(job, interruption, (event) => {
    if (event.type === 'sync-progress') inFlightCount = event.progress.imagesInFlight;
    display.record(event);
    for (const observer of observers) observer.record(event);
  });
  interruption.drainSignal.removeEventListener('abort', sayDrain);
  display.stop();
  for (const observer of observers) observer.runEnded(ending);
  return ending;
}

export function startDisplay(context: CliContext, flags: SyncFlags): SyncDisplay {
  const { progress } = flags;
  const kind = chooseProgressKind(context, { quiet: flags.quiet === true, progress });
  return startSyncDisplay(context, kind);
}

/** The generator is read to its end: what it has to clean up is cleaned up then. */
async function follow(
  { sync, file, options }: SyncJob,
  { drainSignal, signal }: SyncInterruption,
  record: (event: SyncEvent) => void,
): Promise<SyncEnding> {
  let known: SyncReport | undefined;
  try {
    const config = await readSyncFile(sync, file);
    const run = sync.runSync(config, { ...options, drainSignal, signal });
    for (;;) {
      const step = await run.next();
      if (step.done === true) return { report: step.value };
      if (step.value.type === 'sync-completed') known = step.value.report;
      record(step.value);
    }
  } catch (error) {
    return known === undefined ? { error } : { error, unfinished: known };
  }
}

function drainLine(count: number): string {
  const images = count === 0 ? 'what is' : plural(count, 'image');
  return `interrupted: finishing ${images} under way; once more to stop at once`;
}
