/** The compiled command line as a process. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Emulator } from '../../src/emulator/index.ts';

export const MAIN: string = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url));

/** How a command reaches an emulator. */
export function environmentOf(target: Emulator): Record<string, string> {
  return {
    AWS_ENDPOINT_URL_ECR: target.endpoint,
    AWS_REGION: target.region,
    AWS_ACCESS_KEY_ID: target.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: target.credentials.secretAccessKey,
  };
}

export interface Ended {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface SpawnedCli {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Resolves once `text` was printed to standard error. */
  told(text: string): Promise<void>;
}

export function spawnCli(
  words: readonly string[],
  env: Readonly<Record<string, string>>,
  input?: Uint8Array,
): SpawnedCli {
  const child = spawn(process.execPath, [MAIN, ...words], {
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: 'pipe',
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  child.stdin.on('error', () => undefined);
  if (input !== undefined) child.stdin.end(input);
  const ended = once(child, 'close').then(([exitCode]: unknown[]) => ({
    exitCode: typeof exitCode === 'number' ? exitCode : null,
    stdout,
    stderr,
  }));
  return {
    child,
    ended,
    told: async (text) => {
      while (!stderr.includes(text)) await once(child.stderr, 'data');
    },
  };
}
