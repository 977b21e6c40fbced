/** Runs `programs/upload-layer.ts` in a process of its own. */

import { fileURLToPath } from 'node:url';
import type { LayerReceipt, UploaderOptions } from '../../src/index.ts';
import { runNode } from '../package/child-program.ts';

export interface ProgramReport {
  readonly receipt?: LayerReceipt;
  readonly failure?: {
    readonly code: string;
    readonly message: string;
    readonly details: Readonly<Record<string, unknown>>;
  };
  /** Of `process.getActiveResourcesInfo`, before the uploader was made and after it was closed. */
  readonly before: readonly string[];
  readonly after: readonly string[];
  readonly stderr: string;
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PROGRAM = fileURLToPath(new URL('programs/upload-layer.ts', import.meta.url));

/** @param env beside a bare environment without AWS settings */
export async function runUploadProgram(
  env: Readonly<Record<string, string>>,
  options: UploaderOptions = {},
): Promise<ProgramReport> {
  const { exitCode, stdout, stderr } = await runNode(['--import', 'tsx', PROGRAM], {
    cwd: ROOT,
    env: { UPLOADER_OPTIONS: JSON.stringify(options), ...env },
  });
  // Without an exit code it had to be killed: something kept it alive.
  if (exitCode !== 0) throw new Error(`exit code ${String(exitCode)}\n${stdout}\n${stderr}`);
  return { ...(JSON.parse(stdout) as Omit<ProgramReport, 'stderr'>), stderr };
}
