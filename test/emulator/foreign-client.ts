import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface CommandResult {
  readonly isOk: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

/** Whether a command is there; says so loudly if it is not. */
export function isInstalled(command: string): boolean {
  if (spawnSync(command, ['--version']).status === 0) return true;
  process.stderr.write(
    `\n*** SKIPPED: no \`${command}\` on PATH, so the emulator was not judged by it. ***\n\n`,
  );
  return false;
}

export function run(
  command: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<CommandResult> {
  const env = { PATH: process.env['PATH'], HOME: tmpdir(), ...environment };
  return new Promise((resolve) => {
    execFile(command, [...args], { env, maxBuffer: 2 ** 24 }, (error, stdout, stderr) => {
      resolve({ isOk: error === null, stdout, stderr });
    });
  });
}

export async function withFolder(task: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'emulator-client-'));
  try {
    await task(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}
