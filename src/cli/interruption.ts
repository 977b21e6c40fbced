/** The first Ctrl-C lets what runs come to its end, the second ends it, the third ends the process. */

import type { CliContext } from './context.ts';

export interface InterruptionSteps {
  readonly first: () => void;
  readonly second: () => void;
}

export interface InterruptionWatch {
  readonly interrupted: boolean;
  stop(): void;
}

/** Watches until `stop`. After the second signal the next one ends the process in the usual way. */
export function watchInterruption(
  context: Pick<CliContext, 'signals'>,
  steps: InterruptionSteps,
): InterruptionWatch {
  let count = 0;
  const stop = context.signals.listen(() => {
    count += 1;
    if (count === 1) {
      steps.first();
      return;
    }
    stop();
    steps.second();
  });
  return {
    get interrupted() {
      return count > 0;
    },
    stop,
  };
}
