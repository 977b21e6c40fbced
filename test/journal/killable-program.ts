/** A program in a process of its own that tells what it does, a line each, and can be killed. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A line of its output; an event of an upload, for the most part. */
export interface Told {
  readonly type: string;
  readonly [member: string]: unknown;
}

export interface KillableProgram {
  /** All that it has told so far. */
  readonly told: readonly Told[];
  /** Resolves once so many lines of that type were told, or the process has ended. */
  tells(type: string, count: number): Promise<void>;
  /** As `kill -9`; resolves when it is gone. */
  kill(): Promise<void>;
  /** Whether it ended by itself and well; what it said on standard error otherwise. */
  readonly ended: Promise<{
    readonly isDone: boolean;
    readonly isKilled: boolean;
    readonly stderr: string;
  }>;
}

/** @param name of a file in `programs` */
export function startProgram(name: string, task: unknown): KillableProgram {
  const path = fileURLToPath(new URL(`programs/${name}`, import.meta.url));
  const child = spawn(process.execPath, [path], {
    env: {
      PATH: process.env['PATH'] ?? '',
      TASK: JSON.stringify(task),
      AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const told: Told[] = [];
  const watchers = new Set<() => void>();
  const wake = (): void => {
    for (const watcher of watchers) watcher();
  };
  let hasEnded = false;
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  createInterface({ input: child.stdout }).on('line', (line) => {
    // The last line of a killed process may be half a line.
    if (!line.endsWith('}')) return;
    told.push(JSON.parse(line) as Told);
    wake();
  });
  const ended = once(child, 'close').then(([exitCode, signal]: unknown[]) => {
    hasEnded = true;
    wake();
    return { isDone: exitCode === 0, isKilled: signal === 'SIGKILL', stderr };
  });
  return {
    told,
    ended,
    tells: async (type, count) => {
      const isTold = (): boolean =>
        hasEnded || told.filter((line) => line.type === type).length >= count;
      while (!isTold()) {
        await new Promise<void>((resolve) => {
          watchers.add(resolve);
        });
        watchers.clear();
      }
    },
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** Numbers from 0 to 1 that are the same for the same seed. */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
