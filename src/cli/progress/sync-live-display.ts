/** Progress of a sync as one line at the bottom of a terminal; what happens is printed above it. */

import type { CliContext } from '../context.ts';
import type { SyncEvent, SyncProgress } from '../sync-functions.ts';
import { BarScreen } from './bar-screen.ts';
import { formatClock } from './quantity-format.ts';
import { chooseStyle, type Style } from './style.ts';
import type { SyncDisplay } from './sync-display.ts';
import { syncProgressText } from './sync-progress-text.ts';
import { SyncRemarks } from './sync-remarks.ts';
import { fitStart } from './text-fit.ts';

export class SyncLiveDisplay implements SyncDisplay {
  readonly #context: Pick<CliContext, 'stderr' | 'now'>;
  readonly #style: Style;
  readonly #screen: BarScreen;
  readonly #stopExit: () => void;
  readonly #remarks = new SyncRemarks();
  readonly #beganMs: number;
  #progress: SyncProgress | undefined;

  constructor(context: Pick<CliContext, 'env' | 'platform' | 'stderr' | 'now' | 'onExit'>) {
    this.#context = context;
    this.#style = chooseStyle(context, context.stderr);
    this.#beganMs = context.now();
    this.#screen = new BarScreen(context.stderr, () => [this.#line()]);
    // Whatever ends the process: the cursor must not stay hidden.
    this.#stopExit = context.onExit(() => this.#screen.stop());
  }

  record(event: SyncEvent): void {
    if (event.type === 'sync-progress') this.#progress = event.progress;
    const paint = event.type === 'source-paused' ? 'yellow' : 'red';
    for (const line of this.#remarks.of(event)) this.say(this.#style.colors[paint](line));
  }

  say(line: string): void {
    this.#screen.printAbove(() => this.#context.stderr.write(`${line}\n`));
  }

  stop(): void {
    this.#stopExit();
    this.#screen.stop();
  }

  #line(): string {
    const clock = formatClock(Math.floor((this.#context.now() - this.#beganMs) / 1000));
    const text =
      this.#progress === undefined ? 'looking at sources' : syncProgressText(this.#progress);
    // The last column stays free: some terminals wrap as soon as it is written to.
    const columns = Math.max(0, this.#context.stderr.columns - 1);
    return fitStart(`${clock}  ${text}`, columns).trimEnd();
  }
}
