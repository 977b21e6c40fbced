/** Chooses how progress is shown, by where it goes and what was asked for. */

import type { UploaderSnapshot } from '../../index.ts';
import type { CliContext } from '../context.ts';
import { BarDisplay } from './bar-display.ts';
import { ImageLineDisplay } from './image-line-display.ts';
import { LineDisplay } from './line-display.ts';
import type { ProgressDisplay } from './progress-display.ts';
import type { ExpectedLayer } from './layer-ledger.ts';
import { chooseStyle } from './style.ts';

export type ProgressKind = 'bars' | 'lines' | 'none';

/** Bars need a terminal with a cursor that nobody collects into a log. */
export function chooseProgressKind(
  context: Pick<CliContext, 'env' | 'stderr'>,
  flags: { readonly quiet: boolean; readonly progress: boolean },
): ProgressKind {
  if (flags.quiet) return 'none';
  const { env, stderr } = context;
  const logged = (env['CI'] ?? '') !== '' && env['CI'] !== 'false';
  const bars = flags.progress && stderr.isTerminal && env['TERM'] !== 'dumb' && !logged;
  return bars ? 'bars' : 'lines';
}

/** @param expected the layers that were asked for; `undefined` for an image */
export function startProgress(
  context: Pick<CliContext, 'env' | 'platform' | 'stderr' | 'now' | 'onExit'>,
  kind: ProgressKind,
  expected: readonly ExpectedLayer[] | undefined,
  snapshot: () => UploaderSnapshot,
): ProgressDisplay {
  if (kind === 'none') return SILENT;
  if (kind === 'lines') {
    return expected === undefined
      ? new ImageLineDisplay(context, snapshot)
      : new LineDisplay(context);
  }
  return new BarDisplay(context, chooseStyle(context, context.stderr), expected, snapshot);
}

const SILENT: ProgressDisplay = {
  record: () => undefined,
  say: () => undefined,
  stop: () => undefined,
};
