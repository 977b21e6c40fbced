/**
 * `npm run soak -- [--minutes N] [--seed N]`: uploads of all sizes and kinds, with faults, aborts and one
 * uploader after the other, for so long. Ends with 1 if memory, handles or throughput are not flat, or
 * if an upload ends as it should not. The seed replays the run's plan.
 */

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { randomInt } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startEmulator } from '../../src/emulator/index.ts';
import { makeRepository } from '../uploader/upload-rig.ts';
import { planFaults } from './soak-plan.ts';
import { mib, problemsOf, type SoakSample } from './soak-verdict.ts';
import type { SoakReport, SoakTask } from './uploading-process.ts';

const MINUTES_BY_DEFAULT = 30;
/** After its time it must end by itself, when its last round is done. */
const END_MS_MAX = 180_000;
const PROGRAM = fileURLToPath(new URL('uploading-process.ts', import.meta.url));

const { values } = parseArgs({
  options: { minutes: { type: 'string' }, seed: { type: 'string' } },
});
const minutes = Number(values.minutes ?? MINUTES_BY_DEFAULT);
const seed = Number(values.seed ?? randomInt(2 ** 31));
if (!(minutes > 0) || !Number.isSafeInteger(seed)) throw new Error('expected numbers');
console.log(`soak: ${minutes} min, --seed ${seed}`);

const emulator = await startEmulator({ discard: true, seed });
await makeRepository(emulator, 'soak/app');
emulator.addFaults(planFaults());
const { endpoint, region, credentials } = emulator;
const task: SoakTask = { seed, minutes, uploader: { endpoint, region, client: { credentials } } };
const child = fork(PROGRAM, [JSON.stringify(task)], {
  execArgv: ['--import', 'tsx'],
  env: { ...process.env, AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
  timeout: minutes * 60_000 + END_MS_MAX,
});
const samples: SoakSample[] = [];
const problems: string[] = [];
child.on('message', (message) => {
  const report = message as SoakReport;
  if ('problem' in report) {
    problems.push(report.problem);
    console.error(report.problem);
  } else if ('endings' in report) {
    console.log(report.endings);
  } else {
    samples.push(report.sample);
    console.log(lineOf(report.sample));
  }
});
const [exitCode] = (await once(child, 'exit')) as [number | null];
await emulator.stop();
if (exitCode !== 0) problems.push(`the process ended with ${exitCode ?? 'a signal: it hung'}`);
problems.push(...problemsOf(samples));
console.log(
  problems.length === 0
    ? `soak: flat over ${samples.length} rounds`
    : `soak: NOT GOOD (--seed ${seed})\n${problems.join('\n')}`,
);
process.exitCode = problems.length === 0 ? 0 : 1;

function lineOf(sample: SoakSample): string {
  const { atMs, roundIndex, rssBytes, heapBytes, acceptedBytes, durationMs } = sample;
  const perSecond = mib((acceptedBytes / durationMs) * 1000);
  const { handleCount, descriptorCount, threadCount } = sample;
  return (
    `${Math.round(atMs / 1000)} s, round ${roundIndex}: rss ${mib(rssBytes)}, ` +
    `heap ${mib(heapBytes)}, ${handleCount} handles, ${descriptorCount} descriptors, ` +
    `${threadCount} threads, ${perSecond}/s`
  );
}
