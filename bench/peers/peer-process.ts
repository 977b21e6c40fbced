/** Runs a program that cannot measure itself, and measures it from outside. */

import { spawn } from 'node:child_process';
import { accessSync, constants, readFileSync } from 'node:fs';
import { once } from 'node:events';
import { cleanUpAtExit } from '../harness/cleanup.ts';

/** The shell knows what its children have used, which Node does not; `exec` would leave nobody to ask. */
const SCRIPT = '"$@" & echo "pid $!" >&3; wait $!; code=$?; times >&3; exit $code';
const OUTPUT_KEPT_CHARACTERS = 4000;
const MEMORY_SAMPLE_INTERVAL_MS = 10;
const KIB = 1024;
const MS_PER_MINUTE = 60_000;

export interface ProcessCost {
  readonly exitCode: number | null;
  /** The end of what it printed, for the reader of a failure. */
  readonly output: string;
  /** From its start to its end, loading included. */
  readonly wallMs: number;
  readonly cpuUserMs: number;
  readonly cpuSystemMs: number;
  /** High-water mark of the kernel, as last seen while it ran; NaN where there is no /proc. */
  readonly rssPeakBytes: number;
}

/** @param environment all of it: nothing is inherited */
export async function measureProcess(
  file: string,
  parameters: readonly string[],
  environment: NodeJS.ProcessEnv,
): Promise<ProcessCost> {
  const startedAt = performance.now();
  // bash counts in milliseconds where other shells count ticks of ten; both say it the same way.
  const child = spawn(shell(), ['-c', SCRIPT, 'measured', file, ...parameters], {
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    // A group of its own, so that the program dies with its shell.
    detached: true,
  });
  const forget = cleanUpAtExit(() => killGroup(child.pid));
  let output = '';
  let told = '';
  let peakBytes = Number.NaN;
  const keep = (text: string): void => {
    output = (output + text).slice(-OUTPUT_KEPT_CHARACTERS);
  };
  child.stdout?.setEncoding('utf8').on('data', keep);
  child.stderr?.setEncoding('utf8').on('data', keep);
  const [, , , numbers] = child.stdio;
  numbers?.on('data', (chunk: Buffer) => {
    told += chunk.toString();
  });
  const sampler = setInterval(() => {
    const [, id] = /^pid (\d+)$/m.exec(told) ?? [];
    if (id !== undefined) peakBytes = readPeakBytes(id) ?? peakBytes;
  }, MEMORY_SAMPLE_INTERVAL_MS);
  try {
    const [exitCode] = (await once(child, 'close')) as [number | null];
    const wallMs = performance.now() - startedAt;
    return { exitCode, output, wallMs, ...parseTimes(told), rssPeakBytes: peakBytes };
  } finally {
    clearInterval(sampler);
    forget();
  }
}

/** The last line of the shell's `times`: user and system time of its children. */
export function parseTimes(text: string): {
  readonly cpuUserMs: number;
  readonly cpuSystemMs: number;
} {
  const [user, system] = [...text.matchAll(/(\d+)m(\d+[.,]\d+)s/g)]
    .slice(-2)
    .map(
      ([, minutes, seconds = '']) =>
        Number(minutes) * MS_PER_MINUTE + Number(seconds.replace(',', '.')) * 1000,
    );
  return { cpuUserMs: user ?? Number.NaN, cpuSystemMs: system ?? Number.NaN };
}

function shell(): string {
  try {
    accessSync('/bin/bash', constants.X_OK);
    return '/bin/bash';
  } catch {
    return '/bin/sh';
  }
}

function readPeakBytes(id: string): number | undefined {
  try {
    const [, kib] = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${id}/status`, 'utf8')) ?? [];
    return kib === undefined ? undefined : Number(kib) * KIB;
  } catch {
    return undefined;
  }
}

function killGroup(id: number | undefined): void {
  if (id === undefined) return;
  try {
    process.kill(-id, 'SIGKILL');
  } catch {
    // It has ended.
  }
}
