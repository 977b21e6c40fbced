import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { campaign, CORPUS, replay } from './campaign.ts';
import { FUZZ_TARGETS } from './targets/all.ts';

// Every run tries the same inputs: what turns this red is a change, not chance. `npm run fuzz` looks further.
const SEED = Number(process.env['LONGSHORE_FUZZ_SEED'] ?? 1);
const INPUT = process.env['LONGSHORE_FUZZ_INPUT'];
const BOUNDS = { seed: SEED, runsMax: 1500, timeMsMax: 1000 } as const;

describe('bears whatever it is given', () => {
  test.each(FUZZ_TARGETS.map((target) => [target.name, target] as const))(
    '%s',
    async (_name, target) => {
      if (INPUT !== undefined) {
        await replay(target, Buffer.from(INPUT, 'base64'));
        return;
      }
      const { runCount, outcomes } = await campaign(target, BOUNDS);
      expect(runCount).toBeGreaterThan(2);
      // A target that always says the same does not look at its input.
      expect(outcomes.size).toBeGreaterThan(1);
    },
  );
});

test("the corpus is small, and all of it is somebody's", () => {
  const names = FUZZ_TARGETS.map(({ name }) => name);
  const folders = readdirSync(CORPUS);
  expect(folders.filter((folder) => !names.includes(folder))).toEqual([]);
  const sizes = folders.flatMap((folder) =>
    readdirSync(join(CORPUS, folder)).map((name) => statSync(join(CORPUS, folder, name)).size),
  );
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(100_000);
});
