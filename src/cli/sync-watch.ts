/** `longshore sync --watch`: runs again and again; only a signal ends it. */

import type { CliContext } from './context.ts';
import { EXIT_DONE, EXIT_INTERRUPTED, EXIT_USAGE } from './exit-code.ts';
import { urlOf } from './listen-address.ts';
import { formatDuration } from './progress/quantity-format.ts';
import { startSyncEndpoint, type SyncEndpoint } from './sync-endpoint.ts';
import { endSync } from './sync-ending.ts';
import { type SyncInterruption, watchSyncInterruption } from './sync-interruption.ts';
import { readSyncFile } from './sync-file.ts';
import { runSyncJob, type SyncJob } from './sync-run.ts';

export interface WatchedSync extends SyncJob {
  /** From the begin of a run to the begin of the next. */
  readonly intervalMs: number;
}

/** @returns the exit code */
export async function watchSync(context: CliContext, job: WatchedSync): Promise<number> {
  // What is wrong from the beginning is for people to put right. Later it may be a file half written.
  await readSyncFile(job.sync, job.file);
  const { listen } = job.flags;
  const endpoint = listen === undefined ? undefined : await startSyncEndpoint(context, listen);
  const interruption = watchSyncInterruption(context);
  try {
    if (endpoint !== undefined) {
      say(context, job, `/healthz and /metrics at ${urlOf(endpoint.address)}`);
    }
    return await runAgainAndAgain(context, job, interruption, endpoint);
  } finally {
    interruption.stop();
    await endpoint?.close();
  }
}

async function runAgainAndAgain(
  context: CliContext,
  job: WatchedSync,
  interruption: SyncInterruption,
  endpoint: SyncEndpoint | undefined,
): Promise<number> {
  const { drainSignal } = interruption;
  for (let runNumber = 1; ; runNumber += 1) {
    const startedMs = context.now();
    say(context, job, `run ${runNumber} at ${new Date().toISOString()}`);
    const ending = await runSyncJob(context, job, interruption, endpoint?.observers);
    const exitCode = await endSync(context, ending, job.flags, job.file);
    if (drainSignal.aborted) return exitCode === EXIT_INTERRUPTED ? EXIT_INTERRUPTED : EXIT_DONE;
    if (runNumber === 1 && exitCode === EXIT_USAGE) return exitCode;
    const waitMs = Math.max(0, startedMs + job.intervalMs - context.now());
    say(context, job, waitMs === 0 ? 'next run at once' : `next run in ${formatDuration(waitMs)}`);
    await waitFor(waitMs, drainSignal);
    if (drainSignal.aborted) return EXIT_DONE;
  }
}

function say({ stderr }: CliContext, { flags }: SyncJob, line: string): void {
  if (flags.quiet !== true) stderr.write(`${line}\n`);
}

/** Resolves after that time, or when the signal aborts. */
function waitFor(waitMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, waitMs);
    signal.addEventListener('abort', end, { once: true });
    if (signal.aborted) end();
  });
}
