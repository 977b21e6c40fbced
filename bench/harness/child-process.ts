/** A process the benchmark started: a line of JSON in, a line of JSON out, and no way to outlive us. */

import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { cleanUpAtExit } from './cleanup.ts';

const STDERR_KEPT_CHARACTERS = 4000;

export class Child {
  readonly #process: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #exited: Promise<void>;
  readonly #forget: () => void;
  readonly #label: string;
  #stderr = '';

  constructor(label: string, file: string, environment: NodeJS.ProcessEnv = {}) {
    this.#label = label;
    const child = spawn(process.execPath, [file], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...cleanEnvironment(), ...environment },
    });
    this.#process = child;
    this.#forget = cleanUpAtExit(() => child.kill('SIGKILL'));
    this.#exited = new Promise((resolve) => {
      child.once('exit', () => resolve());
      child.once('error', () => resolve());
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-STDERR_KEPT_CHARACTERS);
    });
    // A child that died is reported by the missing line, not by a broken pipe.
    child.stdin.on('error', () => undefined);
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  }

  /** Sends a value and waits for the one that answers it. */
  async ask(value: unknown): Promise<unknown> {
    this.#process.stdin?.write(`${JSON.stringify(value)}\n`);
    const line = await this.#lines.next();
    if (line.done === true) {
      await this.#exited;
      throw new Error(`${this.#label} ended without an answer\n${this.#stderr}`);
    }
    return JSON.parse(line.value);
  }

  /** Whether the process ends of its own accord within the time. */
  async endsWithin(timeoutMs: number): Promise<boolean> {
    const timer = new AbortController();
    const timedOut = delay(timeoutMs, false, { signal: timer.signal }).catch(() => false);
    const ended = await Promise.race([this.#exited.then(() => true), timedOut]);
    timer.abort();
    return ended;
  }

  /** Ends it now. Idempotent. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#forget();
    await this.#exited;
  }
}

/** Settings of this machine's user must neither help nor hinder a contestant. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(AWS_|NODE_OPTIONS$)|_proxy$/i.test(name),
  );
  return {
    ...Object.fromEntries(kept),
    // No contestant may look for an instance's own credentials, or for this user's settings.
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
  };
}
