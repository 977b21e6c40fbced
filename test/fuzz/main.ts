/** `npm run fuzz -- SECONDS [TARGET...]`: gives every target inputs for so many seconds, new ones each time. */

import { randomInt } from 'node:crypto';
import { campaign } from './campaign.ts';
import { FUZZ_TARGETS } from './targets/all.ts';

const SECONDS_BY_DEFAULT = 10;

const [secondsText = String(SECONDS_BY_DEFAULT), ...names] = process.argv.slice(2);
const seconds = Number(secondsText);
if (!(seconds > 0)) throw new Error(`expected seconds, received ${secondsText}`);
const seed = Number(process.env['LONGSHORE_FUZZ_SEED'] ?? randomInt(2 ** 32));
const chosen = FUZZ_TARGETS.filter(({ name }) => names.length === 0 || names.includes(name));
if (chosen.length === 0) throw new Error(`no such target: ${names.join(', ')}`);

console.log(`${chosen.length} targets, ${seconds} s each, LONGSHORE_FUZZ_SEED=${seed}`);
let failureCount = 0;
for (const target of chosen) {
  try {
    const bounds = { seed, runsMax: Number.POSITIVE_INFINITY, timeMsMax: seconds * 1000 };
    const { runCount, outcomes } = await campaign(target, bounds);
    console.log(`${target.name}: ${runCount} inputs, ${outcomes.size} outcomes`);
    if (process.env['LONGSHORE_FUZZ_VERBOSE'] !== undefined) console.log(outcomes);
  } catch (error) {
    failureCount += 1;
    console.error(error);
  }
}
process.exitCode = failureCount === 0 ? 0 : 1;
