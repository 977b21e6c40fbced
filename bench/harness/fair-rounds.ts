/** Rounds on a machine that has other work too. */

import type { ScenarioContext } from '../scenario.ts';
import type { Run } from './contestant-run.ts';
import type { Rounds } from './interleaved-rounds.ts';
import { runInterleaved } from './interleaved-rounds.ts';
import { FOREIGN_SHARE_MAX, waitForQuiet } from './machine-load.ts';

/** Whether somebody else's work got into a run. */
export function isDisturbed({ foreignShare }: Pick<Run, 'foreignShare'>): boolean {
  return foreignShare > FOREIGN_SHARE_MAX;
}

/** Contestants in turn, each when the machine has a moment for it; those disturbed once more. */
export async function runFairly<Contestant, Result extends Pick<Run, 'foreignShare'>>(
  contestants: readonly Contestant[],
  rounds: Rounds,
  run: (contestant: Contestant, round: string) => Promise<Result>,
  { patient }: Pick<ScenarioContext, 'patient'>,
): Promise<Result[][]> {
  if (!patient) return runInterleaved(contestants, rounds, run);
  return runInterleaved(
    contestants,
    rounds,
    async (contestant, round) => {
      await waitForQuiet();
      return run(contestant, round);
    },
    isDisturbed,
  );
}
