/** How a command about one image ends: what it prints and its exit code. */

import { LongshoreError } from '../index.ts';
import type { CliContext } from './context.ts';
import { describeError, errorLine, exitCodeOf, Interruption, isDebug } from './error-report.ts';
import { EXIT_DONE, EXIT_INTERRUPTED } from './exit-code.ts';
import type { ImageRun } from './image-run.ts';
import { printable } from './progress/text-fit.ts';
import type { OutputFlags } from './uploader-flags.ts';

export interface ImageTexts<Result> {
  /** For standard output, line feed included; `--json` prints the result itself. */
  readonly result: (result: Result) => string;
  /** For people, without line feeds. */
  readonly summary: (result: Result) => readonly string[];
  /** What to know of an interruption. */
  readonly interrupted: string;
}

/** @returns the exit code */
export function endImage<Result>(
  context: CliContext,
  { ending, interrupted }: ImageRun<Result>,
  flags: OutputFlags,
  texts: ImageTexts<Result>,
): number {
  const { stdout, stderr } = context;
  if ('result' in ending) {
    const { result } = ending;
    stdout.write(flags.json === true ? `${JSON.stringify(result)}\n` : texts.result(result));
    if (flags.quiet !== true) for (const line of texts.summary(result)) stderr.write(`${line}\n`);
    // A signal that came too late to stop it changes nothing about what was done.
    return EXIT_DONE;
  }
  const { error } = ending;
  if (flags.json === true) stdout.write(errorLine(error));
  else stdout.write(findingsOf(error));
  if (error instanceof Interruption) {
    if (flags.quiet !== true) stderr.write(`${texts.interrupted}\n`);
    return EXIT_INTERRUPTED;
  }
  stderr.write(`${describeError(error, [], isDebug(context.env, flags))}\n`);
  if (interrupted) return EXIT_INTERRUPTED;
  return exitCodeOf(error);
}

/** What a verification found is its result, one finding a line. */
function findingsOf(error: unknown): string {
  if (!LongshoreError.is(error, 'E_VERIFICATION_FAILED')) return '';
  return error.details.problems.map((problem) => `${printable(problem)}\n`).join('');
}
