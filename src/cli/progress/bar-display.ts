/** Progress as bars: the total on top, a line for each layer under way, a note below. */

import type { UploaderSnapshot } from '../../index.ts';
import type { CliContext } from '../context.ts';
import { BarScreen } from './bar-screen.ts';
import {
  describeFailure,
  describeImageRetry,
  describeInvisibility,
  describeRestart,
  describeRetry,
} from './event-text.ts';
import type { ProgressDisplay } from './progress-display.ts';
import type { ExpectedLayer } from './layer-ledger.ts';
import { type ProgressEvent, ProgressModel } from './progress-model.ts';
import { formatRow, layOut } from './progress-row.ts';
import { describeResumption, JournalRemarks } from './resume-text.ts';
import { StallRemarks } from './stall-text.ts';
import type { Style } from './style.ts';
import { fitStart } from './text-fit.ts';

/** A note that nobody renews is taken away after this. */
const NOTE_MS = 6_000;
/** The total, the note, and the line on which the cursor rests. */
const ROWS_BESIDE_LAYERS = 3;

export class BarDisplay implements ProgressDisplay {
  readonly #context: Pick<CliContext, 'stderr' | 'now'>;
  readonly #style: Style;
  readonly #model: ProgressModel;
  readonly #snapshot: () => UploaderSnapshot;
  readonly #screen: BarScreen;
  readonly #stopExit: () => void;
  readonly #journals = new JournalRemarks();
  readonly #stalls = new StallRemarks();
  #note = '';
  #noteUntilMs = 0;

  constructor(
    context: Pick<CliContext, 'stderr' | 'now' | 'onExit'>,
    style: Style,
    expected: readonly ExpectedLayer[] | undefined,
    snapshot: () => UploaderSnapshot,
  ) {
    this.#context = context;
    this.#style = style;
    this.#snapshot = snapshot;
    this.#model = new ProgressModel(expected);
    this.#screen = new BarScreen(context.stderr, () => this.#lines());
    // Whatever ends the process: the cursor must not stay hidden.
    this.#stopExit = context.onExit(() => this.#screen.stop());
  }

  record(event: ProgressEvent): void {
    this.#model.record(event);
    switch (event.type) {
      case 'call-retried':
        this.#remark(describeRetry(event, this.#model.nameOf(event)));
        break;
      case 'image-call-retried':
        this.#remark(describeImageRetry(event));
        break;
      case 'layers-not-visible':
        this.#remark(describeInvisibility(event));
        break;
      case 'layer-resumed':
        this.#remark(describeResumption(event, this.#model.nameOf(event)));
        break;
      case 'journal-unusable':
        this.#remark(this.#journals.of(event) ?? this.#note);
        break;
      case 'layer-stalled': {
        const name = this.#model.nameOf(event);
        this.#remark(this.#stalls.of(event, this.#context.now(), name) ?? this.#note);
        break;
      }
      case 'layer-restarted':
        this.#remark(describeRestart(event, this.#model.nameOf(event)));
        break;
      case 'layer-failed':
        if (event.code !== 'ABORTED') {
          const text = describeFailure(event, this.#model.nameOf(event));
          this.say(this.#style.colors.red(text));
        }
        break;
      default:
    }
  }

  say(line: string): void {
    this.#screen.printAbove(() => this.#context.stderr.write(`${line}\n`));
  }

  stop(): void {
    this.#stopExit();
    this.#screen.stop();
  }

  #remark(note: string): void {
    this.#note = note;
    this.#noteUntilMs = this.#context.now() + NOTE_MS;
  }

  #lines(): string[] {
    const { columns, rows } = this.#context.stderr;
    const nowMs = this.#context.now();
    const layersMax = Math.max(0, rows - ROWS_BESIDE_LAYERS);
    const view = this.#model.view(this.#snapshot(), nowMs, layersMax);
    const layout = layOut(columns, view.labelColumns, view.layers);
    const lines = [view.total, ...view.layers].map((row) => formatRow(row, layout, this.#style));
    const left = [view.omitted, view.retries].filter((text) => text !== '').join('; ');
    if (left !== '') lines.push(this.#dim(left, columns));
    if (nowMs < this.#noteUntilMs) lines.push(this.#dim(this.#note, columns));
    return lines;
  }

  #dim(text: string, columns: number): string {
    return this.#style.colors.dim(fitStart(text, Math.max(0, columns - 1)).trimEnd());
  }
}
