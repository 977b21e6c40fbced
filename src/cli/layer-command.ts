/** `longshore layer`: uploads layer files side by side. */

import type { Uploader } from '../index.ts';
import type { CliContext } from './context.ts';
import { isDebug } from './error-report.ts';
import type { LayerFlags } from './layer-flags.ts';
import { planLayerJobs } from './layer-job.ts';
import { exitCodeOf, printErrors, resultLine, summaryLine } from './layer-report.ts';
import { type LayerEnding, runLayers } from './layer-run.ts';
import { chooseProgressKind, startProgress } from './progress/progress-start.ts';
import { resumeOptionOf } from './resume-directory.ts';
import { uploaderOptionsOf } from './uploader-flags.ts';

/** @returns the exit code */
export async function runLayerCommand(
  context: CliContext,
  files: readonly string[],
  flags: LayerFlags,
): Promise<number> {
  const json = flags.json === true;
  const quiet = flags.quiet === true;
  const jobs = planLayerJobs(context, files, flags);
  const uploader: Uploader = await context.createUploader({
    ...uploaderOptionsOf(flags),
    ...resumeOptionOf(context, flags),
  });
  const kind = chooseProgressKind(context, { quiet, progress: flags.progress });
  const startedMs = context.now();
  const progress = startProgress(context, kind, jobs, () => uploader.snapshot());
  // On a terminal results would run into the bars; elsewhere each one is out as soon as it is known.
  const held: string[] = [];
  const endings: LayerEnding[] = [];
  try {
    const request = { repository: flags.repository, checkFirst: flags.check, jobs };
    const { interrupted } = await runLayers(context, uploader, request, {
      onEvent: (event) => progress.record(event),
      onEnding: (ending) => {
        endings.push(ending);
        const line = resultLine(ending, flags.repository, json);
        if (line === undefined) return;
        if (context.stdout.isTerminal) held.push(line);
        else context.stdout.write(`${line}\n`);
      },
      onInterruption: (activeCount, waitingCount) =>
        progress.say(interruptionLine(activeCount, waitingCount)),
    });
    progress.stop();
    for (const line of held) context.stdout.write(`${line}\n`);
    if (kind === 'bars' || (kind === 'lines' && (jobs.length > 1 || interrupted))) {
      context.stderr.write(`${summaryLine(endings, context.now() - startedMs)}\n`);
    }
    printErrors(context, endings, isDebug(context.env, flags));
    return exitCodeOf(endings, interrupted);
  } finally {
    progress.stop();
    if (jobs.some((job) => job.isStream)) context.stdin.destroy();
  }
}

function interruptionLine(activeCount: number, waitingCount: number): string {
  const left = waitingCount === 0 ? '' : `, ${waitingCount} left out`;
  return `interrupted: finishing ${activeCount} under way${left}; once more to stop at once`;
}
