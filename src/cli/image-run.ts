/** Runs one push, plan or verification to its end, or to the user's. */

import type { Uploader } from '../index.ts';
import type { CliContext } from './context.ts';
import { Interruption } from './error-report.ts';
import { watchInterruption } from './interruption.ts';
import type { ProgressDisplay } from './progress/progress-display.ts';
import type { ProgressEvent } from './progress/progress-model.ts';
import { plural } from './progress/quantity-format.ts';

export interface ImageRun<Result> {
  readonly ending: { readonly result: Result } | { readonly error: unknown };
  readonly interrupted: boolean;
}

/** What the call of the library is given. */
export interface RunCall {
  readonly drainSignal: AbortSignal;
  readonly onEvent: (event: ProgressEvent) => void;
}

/**
 * Resolves when the uploader is closed. Half an image is of no use, but whole layers are: the next push
 * finds them. So the first signal lets the layers that are being sent come to their end.
 */
export async function runImage<Result>(
  context: Pick<CliContext, 'signals'>,
  uploader: Uploader,
  progress: ProgressDisplay,
  start: (call: RunCall) => Promise<Result>,
): Promise<ImageRun<Result>> {
  const drain = new AbortController();
  const watch = watchInterruption(context, {
    first: () => {
      const { layers } = uploader.snapshot();
      const sent = layers.filter(({ state }) => state === 'sending' || state === 'completing');
      if (sent.length > 0) progress.say(drainLine(sent.length));
      drain.abort(new Interruption('stopped on request'));
    },
    second: () => {
      void uploader.destroy(new Interruption('stopped on request')).catch(() => undefined);
    },
  });
  try {
    const ending = await start({
      drainSignal: drain.signal,
      onEvent: (event) => progress.record(event),
    }).then(
      (result) => ({ result }),
      (error: unknown) => ({ error }),
    );
    await uploader.close();
    return { ending, interrupted: watch.interrupted };
  } finally {
    watch.stop();
  }
}

function drainLine(count: number): string {
  return `interrupted: finishing ${plural(count, 'layer')} under way; once more to stop at once`;
}
