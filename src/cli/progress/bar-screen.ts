/** Keeps a block of lines at the bottom of a terminal up to date, through cli-progress. */

import { Writable } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { MultiBar, type SingleBar } from 'cli-progress';
import type { TextOutput } from '../context.ts';
import { columnsOf } from './text-fit.ts';

/** Ten frames a second are smooth for bars and cost nothing. */
const FRAMES_PER_SECOND = 10;
/** Terminals that know it show a frame at once; the others ignore it. */
const FRAME_BEGIN = '\u001b[?2026h';
const FRAME_END = '\u001b[?2026l';

interface LinePayload {
  line: string;
}

/**
 * The lines come from `draw`, called before each frame. cli-progress redraws line by line and counts
 * rows by itself, which goes wrong once the terminal is resized or something else is printed: so its
 * output is collected to one write a frame, and the block is taken away and built anew then.
 */
export class BarScreen {
  readonly #output: TextOutput;
  readonly #draw: () => readonly string[];
  readonly #stopResize: () => void;
  #bars: MultiBar | undefined;
  #lines: SingleBar[] = [];
  /** Columns each line took when it was drawn. */
  #widths: readonly number[] = [];
  #frame = '';
  #stopped = false;

  constructor(output: TextOutput, draw: () => readonly string[]) {
    this.#output = output;
    this.#draw = draw;
    this.#stopResize = output.onResize(() => this.#rebuild());
    this.#build();
  }

  /** Lets `print` write whole lines where the block is, and puts the block below them. */
  printAbove(print: () => void): void {
    this.#takeAway();
    this.#flush();
    print();
    if (!this.#stopped) this.#build();
  }

  /** Draws now what the timer would draw within 100 ms. */
  refresh(): void {
    this.#bars?.update();
  }

  /** Takes the block away and gives the cursor back. Idempotent. */
  stop(): void {
    this.#stopped = true;
    this.#stopResize();
    this.#takeAway();
    this.#flush();
  }

  #rebuild(): void {
    if (this.#stopped) return;
    this.#takeAway();
    this.#build();
  }

  #build(): void {
    const bars = new MultiBar({
      stream: this.#stream(),
      fps: FRAMES_PER_SECOND,
      format: (_options, _params, payload: LinePayload) => payload.line,
      hideCursor: true,
      clearOnComplete: true,
      forceRedraw: true,
      gracefulExit: false,
    });
    bars.on('update-pre', () => this.#refill());
    bars.on('update-post', () => this.#flush());
    this.#bars = bars;
    this.#lines = [];
    this.#refill();
    bars.update();
  }

  /** Lines only become more: one too many is left empty until the next rebuild. */
  #refill(): void {
    const lines = this.#draw();
    this.#widths = lines.map((line) => columnsOf(stripVTControlCharacters(line)));
    for (let index = 0; index < Math.max(lines.length, this.#lines.length); index += 1) {
      const line = lines[index] ?? '';
      const bar = this.#lines[index];
      if (bar !== undefined) bar.update({ line });
      else if (this.#bars !== undefined) this.#lines.push(this.#bars.create(1, 0, { line }));
    }
  }

  #takeAway(): void {
    if (this.#bars === undefined) return;
    this.#frame += this.#unwrap();
    this.#bars.stop();
    this.#bars = undefined;
    this.#lines = [];
    this.#widths = [];
  }

  /**
   * A terminal that became narrower has broken our lines in two or more, of which cli-progress knows
   * nothing: go up by as many rows as that made, so that all of them are cleared.
   */
  #unwrap(): string {
    const columns = Math.max(1, this.#output.columns);
    let surplus = 0;
    for (const width of this.#widths) surplus += Math.max(0, Math.ceil(width / columns) - 1);
    return surplus > 0 ? `\u001b[${surplus}A` : '';
  }

  #flush(): void {
    if (this.#frame === '') return;
    const frame = this.#frame;
    this.#frame = '';
    this.#output.write(`${FRAME_BEGIN}${frame}${FRAME_END}`);
  }

  #stream(): NodeJS.WritableStream {
    const stream = new Writable({
      decodeStrings: false,
      write: (chunk: string, _encoding, done) => {
        this.#frame += chunk;
        done();
      },
    });
    return Object.assign(stream, { isTTY: true, columns: this.#output.columns });
  }
}
