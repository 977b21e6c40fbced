import { describe, expect, test } from 'vitest';
import { campaign, replay } from './campaign.ts';
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
      expect(runCount).toBeGreaterThan(10);
      // A target that always says the same does not look at its input.
      expect(outcomes.size).toBeGreaterThan(1);
    },
  );
});
