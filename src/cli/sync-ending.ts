/** How a sync ends: its report file, what it prints, and its exit code. */

import type { CliContext } from './context.ts';
import { describeError, errorLine, exitCodeOf, Interruption, isDebug } from './error-report.ts';
import { EXIT_DONE, EXIT_FAILED, EXIT_INTERRUPTED, EXIT_PARTLY_FAILED } from './exit-code.ts';
import { printable } from './progress/text-fit.ts';
import type { SyncFlags } from './sync-flags.ts';
import type { SyncReport } from './sync-functions.ts';
import { writeReport } from './sync-report-file.ts';
import type { SyncEnding } from './sync-run.ts';
import { failureLines, syncLine, syncSummary } from './sync-summary.ts';

const EXIT_CODE: { readonly [Outcome in SyncReport['outcome']]: number } = {
  done: EXIT_DONE,
  partial: EXIT_PARTLY_FAILED,
  failed: EXIT_FAILED,
  interrupted: EXIT_INTERRUPTED,
};
const INTERRUPTED = 'interrupted: what was completed stays, and the next run goes on from there';

/**
 * @param file the configuration, as it was given
 * @returns the exit code
 */
export async function endSync(
  context: CliContext,
  ending: SyncEnding,
  flags: SyncFlags,
  file: string,
): Promise<number> {
  const report = 'report' in ending ? ending.report : ending.unfinished;
  const isKept = report === undefined || (await keep(context, report, flags));
  if ('error' in ending) return endSyncWithError(context, ending.error, flags);
  const exitCode = tellReport(context, ending.report, flags, file);
  return exitCode === EXIT_DONE && !isKept ? EXIT_FAILED : exitCode;
}

function tellReport(
  { stdout, stderr }: Pick<CliContext, 'stdout' | 'stderr'>,
  report: SyncReport,
  flags: SyncFlags,
  file: string,
): number {
  stdout.write(flags.json === true ? `${JSON.stringify(report)}\n` : syncLine(report));
  // A report that only such tags were taken from still has those that failed again.
  const named = flags.report ?? flags.onlyFailed;
  const again = named === undefined ? undefined : againLine(file, named);
  const people = flags.quiet === true ? [] : syncSummary(report);
  for (const line of [...people, ...failureLines(report, again)]) stderr.write(`${line}\n`);
  if (report.outcome === 'interrupted' && flags.quiet !== true) stderr.write(`${INTERRUPTED}\n`);
  return EXIT_CODE[report.outcome];
}

/**
 * @param interrupted what to know if the user ended it
 * @returns the exit code
 */
export function endSyncWithError(
  context: CliContext,
  error: unknown,
  flags: SyncFlags,
  interrupted: string = INTERRUPTED,
): number {
  if (flags.json === true) context.stdout.write(errorLine(error));
  if (error instanceof Interruption) {
    if (flags.quiet !== true) context.stderr.write(`${interrupted}\n`);
    return EXIT_INTERRUPTED;
  }
  context.stderr.write(`${describeError(error, [], isDebug(context.env, flags))}\n`);
  return exitCodeOf(error);
}

/**
 * A report that cannot be written must not hide what was done.
 * @returns whether it is there, if one is wanted
 */
async function keep(context: CliContext, report: SyncReport, flags: SyncFlags): Promise<boolean> {
  if (flags.report === undefined) return true;
  try {
    await writeReport(flags.report, report, context.processId);
    return true;
  } catch (error) {
    context.stderr.write(`${describeError(error, [], isDebug(context.env, flags))}\n`);
    return false;
  }
}

function againLine(file: string, report: string): string {
  return printable(`longshore sync ${quoted(file)} --only-failed ${quoted(report)}`);
}

/** For a POSIX shell, where it needs it. */
function quoted(word: string): string {
  return /^[\w./:@%+=,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
