/** Repeats contestants in turn, so that what slows the machine down for a while slows down all. */

export interface Rounds {
  /** Run and thrown away: they warm the server, the page cache and the CPU's clock. */
  readonly warmUpCount: number;
  readonly countedCount: number;
}

/**
 * Runs A B C A B C ...
 * @returns the counted results of each contestant, in the contestants' order
 */
export async function runInterleaved<Contestant, Result>(
  contestants: readonly Contestant[],
  { warmUpCount, countedCount }: Rounds,
  run: (contestant: Contestant, round: string) => Promise<Result>,
): Promise<Result[][]> {
  const results: Result[][] = contestants.map(() => []);
  for (let round = 0; round < warmUpCount + countedCount; round += 1) {
    const counted = round >= warmUpCount;
    const label = counted ? `${round - warmUpCount + 1}/${countedCount}` : 'warm-up';
    for (const [index, contestant] of contestants.entries()) {
      const result = await run(contestant, label);
      if (counted) results[index]?.push(result);
    }
  }
  return results;
}
