/** Runs a Node program to its end, which it must find by itself. */

import { spawn } from 'node:child_process';

export interface ProgramResult {
  /** `null` where the program had to be killed. */
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ProgramOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Another Node than the one that runs the tests. */
  readonly node?: string;
}

/** A program that still runs after this long is kept alive by something, and is killed. */
const RUN_MS_MAX = 25_000;

/** Runs `node ...args`; resolves at the end of the process, whatever its exit code. */
export function runNode(args: readonly string[], options: ProgramOptions): Promise<ProgramResult> {
  const child = spawn(options.node ?? process.execPath, args, {
    cwd: options.cwd,
    env: { ...bareEnvironment(), ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: RUN_MS_MAX,
    killSignal: 'SIGKILL',
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (exitCode) => resolve({ exitCode, stdout, stderr }));
  });
}

/** What a shell gives: none of the test runner's variables, and no AWS settings of this machine. */
function bareEnvironment(): Record<string, string> {
  const { PATH = '', HOME = '', TMPDIR } = process.env;
  return {
    PATH,
    HOME,
    ...(TMPDIR !== undefined && { TMPDIR }),
    AWS_EC2_METADATA_DISABLED: 'true',
    // The SDK's own notice on Node 20 would be the only word on standard error.
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
  };
}
