/** Repeats contestants in turn, so that what slows the machine down for a while slows down all. */

export interface Rounds {
  /** Run and thrown away: they warm the server, the page cache and the CPU's clock. */
  readonly warmUpCount: number;
  readonly countedCount: number;
}

/** What a round that is thrown away is called. */
export const WARM_UP = 'warm-up';

/** A run that was spoilt is done again, this often at most. */
const REPEATS_MAX = 1;

/**
 * Runs A B C A B C ...
 * @param isDisturbed whether a run was spoilt by something other than its contestant, judged
 *   without looking at its result: then it is repeated, and after that taken as it is
 * @returns the counted results of each contestant, in the contestants' order
 */
export async function runInterleaved<Contestant, Result>(
  contestants: readonly Contestant[],
  { warmUpCount, countedCount }: Rounds,
  run: (contestant: Contestant, round: string) => Promise<Result>,
  isDisturbed: (result: Result) => boolean = () => false,
): Promise<Result[][]> {
  const results: Result[][] = contestants.map(() => []);
  for (let round = 0; round < warmUpCount + countedCount; round += 1) {
    const counted = round >= warmUpCount;
    const label = counted ? `${round - warmUpCount + 1}/${countedCount}` : WARM_UP;
    for (const [index, contestant] of contestants.entries()) {
      let result = await run(contestant, label);
      const repeatsMax = counted ? REPEATS_MAX : 0;
      for (let repeat = 1; repeat <= repeatsMax && isDisturbed(result); repeat += 1) {
        result = await run(contestant, `${label}, repeated as the machine was busy`);
      }
      if (counted) results[index]?.push(result);
    }
  }
  return results;
}
