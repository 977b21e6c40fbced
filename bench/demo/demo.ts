/**
 * `npm run demo`: packs real files of this machine into layers, pushes them into a local ECR in a
 * process of its own, reads every byte back through AWS's client, and pushes once more.
 * Further words go to the emulator: `npm run demo -- --round-trip 40 --bandwidth 60`.
 */

import { runDemo } from './demo-run.ts';
import { processContext } from '../../src/cli/process-context.ts';
import { abortOnSignal } from './workspace.ts';

const signal = abortOnSignal();
try {
  process.exitCode = (await runDemo(processContext(), process.argv.slice(2), signal)) ? 0 : 1;
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`demo: ${signal.aborted ? 'interrupted' : message}\n`);
  process.exitCode = signal.aborted ? 130 : 1;
}
