/** Progress of a sync as plain lines, for logs: the whole now and then, failures and pauses at once. */

import type { CliContext } from '../context.ts';
import type { SyncEvent } from '../sync-functions.ts';
import type { SyncDisplay } from './sync-display.ts';
import { syncProgressText } from './sync-progress-text.ts';
import { SyncRemarks } from './sync-remarks.ts';

const INTERVAL_MS = 10_000;

export class SyncLineDisplay implements SyncDisplay {
  readonly #context: Pick<CliContext, 'stderr' | 'now'>;
  readonly #remarks = new SyncRemarks();
  #lastLineMs: number;
  #lastText = '';

  constructor(context: Pick<CliContext, 'stderr' | 'now'>) {
    this.#context = context;
    this.#lastLineMs = context.now();
  }

  record(event: SyncEvent): void {
    for (const line of this.#remarks.of(event)) this.say(line);
    if (event.type !== 'sync-progress') return;
    const nowMs = this.#context.now();
    if (nowMs - this.#lastLineMs < INTERVAL_MS) return;
    const text = syncProgressText(event.progress);
    // While a source pauses nothing moves, and a log needs no second line about that.
    if (text === this.#lastText) return;
    this.#lastLineMs = nowMs;
    this.#lastText = text;
    this.say(text);
  }

  say(line: string): void {
    this.#context.stderr.write(`${line}\n`);
  }

  stop(): void {
    // Nothing is held.
  }
}
