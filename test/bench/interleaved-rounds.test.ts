import { expect, test } from 'vitest';
import { runInterleaved } from '../../bench/harness/interleaved-rounds.ts';

test('contestants take turns, and the warm-up does not count', async () => {
  const order: string[] = [];
  const results = await runInterleaved(
    ['a', 'b'],
    { warmUpCount: 1, countedCount: 2 },
    async (name, round) => {
      order.push(`${name} ${round}`);
      return order.length;
    },
  );
  expect(order).toEqual(['a warm-up', 'b warm-up', 'a 1/2', 'b 1/2', 'a 2/2', 'b 2/2']);
  expect(results).toEqual([
    [3, 5],
    [4, 6],
  ]);
});

test('a disturbed run is repeated once, then taken', async () => {
  let calls = 0;
  const results = await runInterleaved(
    ['a'],
    { warmUpCount: 1, countedCount: 2 },
    async () => (calls += 1),
    (call) => call === 2 || call > 3,
  );
  // The warm-up is 1, 2 is done again as 3, and 4 has one more attempt.
  expect(results).toEqual([[3, 5]]);
});
