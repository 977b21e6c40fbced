/** What `longshore layer` prints: results on standard output, a summary and errors for people. */

import type { CliContext } from './context.ts';
import { describeError, Interruption, reportOf } from './error-report.ts';
import {
  EXIT_DONE,
  EXIT_FAILED,
  EXIT_INTERRUPTED,
  EXIT_PARTLY_FAILED,
  EXIT_USAGE,
} from './exit-code.ts';
import type { LayerEnding } from './layer-run.ts';
import {
  countText,
  formatBytes,
  formatDuration,
  formatRate,
  plural,
} from './progress/quantity-format.ts';

/** One line for machines, without the line feed; `undefined` where there is no result. */
export function resultLine(
  ending: LayerEnding,
  repository: string,
  json: boolean,
): string | undefined {
  const { file } = ending.job;
  if ('error' in ending) {
    if (!json) return undefined;
    return JSON.stringify({ file, repository, error: reportOf(ending.error) });
  }
  const { receipt } = ending;
  if (json) return JSON.stringify({ file, ...receipt });
  return `${receipt.digest} ${receipt.sizeBytes} ${receipt.outcome} ${file}`;
}

/** `3 layers: 2 uploaded, 1 already there; 120 MB sent in 4.2 s, 28.6 MB/s`. */
export function summaryLine(endings: readonly LayerEnding[], durationMs: number): string {
  const receipts = endings.flatMap((ending) => ('receipt' in ending ? [ending.receipt] : []));
  const uploadedCount = receipts.filter((receipt) => receipt.outcome === 'uploaded').length;
  const interruptedCount = endings.filter(isInterruption).length;
  const failedCount = endings.length - receipts.length - interruptedCount;
  const counts = [
    countText(uploadedCount, 'uploaded'),
    countText(receipts.length - uploadedCount, 'already there'),
    countText(failedCount, 'failed'),
    countText(interruptedCount, 'left out'),
  ].filter((text) => text !== '');
  const sentBytes = receipts.reduce((sum, receipt) => sum + receipt.sentBytes, 0);
  const sent =
    sentBytes === 0
      ? 'nothing sent'
      : `${formatBytes(sentBytes)} sent in ${formatDuration(durationMs)}, ` +
        formatRate((sentBytes / Math.max(1, durationMs)) * 1000);
  return `${plural(endings.length, 'layer')}: ${counts.join(', ')}; ${sent}`;
}

/** The same error of many layers is told once. Interruptions are no news to who caused them. */
export function printErrors(
  context: Pick<CliContext, 'stderr'>,
  endings: readonly LayerEnding[],
  debug: boolean,
): void {
  const groups = new Map<string, { readonly error: unknown; readonly files: string[] }>();
  for (const ending of endings) {
    if (!('error' in ending) || isInterruption(ending)) continue;
    const { code, message } = reportOf(ending.error);
    const key = `${code} ${message}`;
    const group = groups.get(key) ?? { error: ending.error, files: [] };
    group.files.push(ending.job.file);
    groups.set(key, group);
  }
  for (const { error, files } of groups.values()) {
    context.stderr.write(`${describeError(error, files, debug)}\n`);
  }
}

export function exitCodeOf(endings: readonly LayerEnding[], interrupted: boolean): number {
  if (interrupted) return EXIT_INTERRUPTED;
  const errors = endings.flatMap((ending) => ('error' in ending ? [ending.error] : []));
  if (errors.length === 0) return EXIT_DONE;
  if (errors.length < endings.length) return EXIT_PARTLY_FAILED;
  const isUsage = errors.every((error) => reportOf(error).code === 'E_OPTION_INVALID');
  return isUsage ? EXIT_USAGE : EXIT_FAILED;
}

function isInterruption(ending: LayerEnding): boolean {
  return 'error' in ending && ending.error instanceof Interruption;
}
