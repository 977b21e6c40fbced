/** The emulator in a process of its own, as the command line starts it. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** The settings that `longshore emulator --json` prints. */
export interface EmulatorSettings {
  readonly endpoint: string;
  readonly registryHost: string;
  readonly region: string;
  readonly registryId: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface EmulatorProcess extends AsyncDisposable {
  readonly settings: EmulatorSettings;
}

const COMMAND_LINE = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url));
const STOP_MS_MAX = 5_000;

/** @param flags more flags of `longshore emulator` */
export async function startEmulatorProcess(
  directory: string,
  flags: readonly string[],
): Promise<EmulatorProcess> {
  const child = spawn(
    process.execPath,
    [
      COMMAND_LINE,
      'emulator',
      '--json',
      '--quiet',
      '--until-stdin-closes',
      '--data',
      join(directory, 'registry'),
      ...flags,
    ],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  // When this process ends, its end of the pipe does too, and with it the emulator.
  child.stdin.on('error', () => undefined);
  const line = await firstLine(child);
  return {
    settings: JSON.parse(line) as EmulatorSettings,
    [Symbol.asyncDispose]: () => stop(child),
  };
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error('the emulator has no standard output');
  for await (const line of createInterface({ input: child.stdout })) return line;
  throw new Error('the emulator ended before it was ready');
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.stdin?.end();
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX);
  await exited;
  clearTimeout(timer);
}
