/** `longshore sync`: fills registries once, or again and again, or tells what that would do. */

import type { CliContext } from './context.ts';
import { Interruption } from './error-report.ts';
import { chooseStyle } from './progress/style.ts';
import { exitCodeOfPlan, syncPlanSummary, syncPlanText } from './sync-plan-text.ts';
import { endSync, endSyncWithError } from './sync-ending.ts';
import { checkSyncFlags, type SyncFlags, syncOptionsOf } from './sync-flags.ts';
import type { SyncPlan } from './sync-functions.ts';
import { importConfig } from './sync-import.ts';
import { watchSyncInterruption } from './sync-interruption.ts';
import { readSyncFile } from './sync-file.ts';
import { checkReportPlace, readReport } from './sync-report-file.ts';
import { runSyncJob, startDisplay, type SyncJob } from './sync-run.ts';
import { watchSync } from './sync-watch.ts';

/** @returns the exit code */
export async function runSyncCommand(
  context: CliContext,
  file: string,
  flags: SyncFlags,
): Promise<number> {
  checkSyncFlags(flags);
  const sync = await context.loadSync();
  if (flags.import !== undefined) return importConfig(context, sync, flags.import, file);
  const onlyFailed =
    flags.onlyFailed === undefined ? undefined : await readReport(flags.onlyFailed);
  if (flags.report !== undefined) await checkReportPlace(flags.report);
  const job = { sync, file, flags, options: syncOptionsOf(context, flags, onlyFailed) };
  if (flags.dryRun === true) return planJob(context, job);
  const { watch: intervalMs } = flags;
  if (intervalMs !== undefined) return watchSync(context, { ...job, intervalMs });
  const interruption = watchSyncInterruption(context);
  try {
    const ending = await runSyncJob(context, job, interruption);
    return await endSync(context, ending, flags, file);
  } finally {
    interruption.stop();
  }
}

async function planJob(context: CliContext, job: SyncJob): Promise<number> {
  const { sync, file, flags } = job;
  // A plan changes nothing, so the first signal may end it at once.
  const end = new AbortController();
  const stopListening = context.signals.listen(() => {
    stopListening();
    end.abort(new Interruption('stopped on request'));
  });
  const display = startDisplay(context, flags);
  let plan: SyncPlan;
  try {
    const config = await readSyncFile(sync, file);
    plan = await sync.planSync(config, { ...job.options, signal: end.signal });
  } catch (error) {
    display.stop();
    return endSyncWithError(context, error, flags, 'interrupted: nothing was copied');
  } finally {
    display.stop();
    stopListening();
  }
  const { tags, targets } = plan;
  const { bold } = chooseStyle(context, context.stdout).colors;
  context.stdout.write(
    flags.json === true
      ? `${JSON.stringify({ tags, targets })}\n`
      : syncPlanText(plan, { all: flags.all === true, bold }),
  );
  if (flags.quiet !== true) {
    for (const line of syncPlanSummary(plan)) context.stderr.write(`${line}\n`);
  }
  return exitCodeOfPlan(plan);
}
