/** Progress as bars: the total on top, a line for each layer under way, a note below. */

import type { LayerEvent, UploaderSnapshot } from '../../index.ts';
import type { CliContext } from '../context.ts';
import { BarScreen } from './bar-screen.ts';
import { describeFailure, describeRestart, describeRetry } from './event-text.ts';
import type { ProgressDisplay } from './progress-display.ts';
import { type ExpectedLayer, ProgressModel } from './progress-model.ts';
import { formatRow, layOut } from './progress-row.ts';
import type { Style } from './style.ts';
import { columnsOf, fitStart } from './text-fit.ts';

/** A note that nobody renews is taken away after this. */
const NOTE_MS = 6_000;
/** The total, the note, and the line on which the cursor rests. */
const ROWS_BESIDE_LAYERS = 3;

export class BarDisplay implements ProgressDisplay {
  readonly #context: Pick<CliContext, 'stderr' | 'now'>;
  readonly #style: Style;
  readonly #model: ProgressModel;
  readonly #snapshot: () => UploaderSnapshot;
  readonly #labelColumns: number;
  readonly #screen: BarScreen;
  readonly #stopExit: () => void;
  #note = '';
  #noteUntilMs = 0;
  #retryCount = 0;

  constructor(
    context: Pick<CliContext, 'stderr' | 'now' | 'onExit'>,
    style: Style,
    expected: readonly ExpectedLayer[],
    snapshot: () => UploaderSnapshot,
  ) {
    this.#context = context;
    this.#style = style;
    this.#snapshot = snapshot;
    this.#model = new ProgressModel(expected);
    const widest = expected.map((layer) => columnsOf(layer.label));
    this.#labelColumns = Math.max(
      columnsOf(`${expected.length}/${expected.length} layers`),
      ...widest,
    );
    this.#screen = new BarScreen(context.stderr, () => this.#lines());
    // Whatever ends the process: the cursor must not stay hidden.
    this.#stopExit = context.onExit(() => this.#screen.stop());
  }

  record(event: LayerEvent): void {
    this.#model.record(event);
    if (event.type === 'call-retried') {
      this.#retryCount += 1;
      const times = this.#retryCount === 1 ? '' : ` (${this.#retryCount} retries so far)`;
      this.#remark(`${describeRetry(event)}${times}`);
    } else if (event.type === 'layer-restarted') {
      this.#remark(describeRestart(event));
    } else if (event.type === 'layer-failed' && event.code !== 'ABORTED') {
      this.say(this.#style.colors.red(describeFailure(event)));
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
    const layout = layOut(columns, this.#labelColumns);
    const lines = [view.total, ...view.layers].map((row) => formatRow(row, layout, this.#style));
    if (view.omitted !== '') lines.push(this.#dim(view.omitted, columns));
    if (nowMs < this.#noteUntilMs) lines.push(this.#dim(this.#note, columns));
    return lines;
  }

  #dim(text: string, columns: number): string {
    return this.#style.colors.dim(fitStart(text, Math.max(0, columns - 1)).trimEnd());
  }
}
