/** One line of progress: a label, a state, a bar and numbers, laid out for the width at hand. */

import { formatBytes, formatClock, formatPercent, formatRate } from './quantity-format.ts';
import type { Style } from './style.ts';
import { alignRight, columnsOf, fitEnd, fitStart } from './text-fit.ts';

/** The colour of a row's bar and state. */
export type RowTone = 'total' | 'moving' | 'preparing' | 'waiting' | 'ended' | 'skipped';

export interface ProgressRow {
  readonly label: string;
  readonly state: string;
  readonly tone: RowTone;
  /** Acknowledged, or hashed. */
  readonly doneBytes: number;
  /** Taken by the sockets, what is acknowledged included. */
  readonly wiredBytes: number;
  readonly sizeBytes: number | undefined;
  readonly bytesPerSecond: number | undefined;
  readonly secondsLeft: number | undefined;
}

interface Columns {
  readonly label: number;
  readonly state: number;
  readonly bar: number;
  readonly percent: number;
  readonly bytes: number;
  readonly rate: number;
  readonly clock: number;
}

const LABEL_COLUMNS_MIN = 10;
const LABEL_COLUMNS_MAX = 40;
/** The longest state of a layer on its way; only compression has a longer word. */
const STATE_COLUMNS = 10;
const PERCENT_COLUMNS = 4;
const BAR_COLUMNS_MIN = 8;
const BAR_COLUMNS_MAX = 48;
const BYTES_COLUMNS = 7;
const SPAN_COLUMNS = 18;
const RATE_COLUMNS = 9;
const CLOCK_COLUMNS = 5;

/**
 * Shares `columns` out; what tells least goes first when they are few.
 * @param rows whose states have to fit
 */
export function layOut(
  columns: number,
  labelColumnsWanted: number,
  rows: readonly ProgressRow[] = [],
): Columns {
  // The last column stays free: some terminals wrap as soon as it is written to.
  const usable = Math.max(LABEL_COLUMNS_MIN + 5, columns - 1);
  const wide = usable >= 110;
  const label = Math.min(
    Math.max(LABEL_COLUMNS_MIN, labelColumnsWanted),
    Math.max(LABEL_COLUMNS_MIN, Math.min(LABEL_COLUMNS_MAX, Math.floor(usable * 0.28))),
  );
  let left = usable - label - PERCENT_COLUMNS - 1;
  const grant = (wanted: number): number => {
    if (left < wanted + 1) return 0;
    left -= wanted + 1;
    return wanted;
  };
  const state = grant(Math.max(STATE_COLUMNS, ...rows.map((row) => columnsOf(row.state))));
  const bytesWanted = wide ? SPAN_COLUMNS : BYTES_COLUMNS;
  if (left < bytesWanted + BAR_COLUMNS_MIN + 2) {
    // Without a bar, when it ends tells more than how large it is; the label takes what is left over.
    const clock = grant(CLOCK_COLUMNS);
    const bytes = grant(bytesWanted);
    const grown = Math.min(LABEL_COLUMNS_MAX, Math.max(label, labelColumnsWanted), label + left);
    return { label: grown, state, bar: 0, percent: PERCENT_COLUMNS, bytes, rate: 0, clock };
  }
  const bytes = grant(bytesWanted);
  const bar = grant(BAR_COLUMNS_MIN);
  const rate = grant(RATE_COLUMNS);
  const clock = rate === 0 ? 0 : grant(CLOCK_COLUMNS);
  const grown = Math.min(BAR_COLUMNS_MAX, bar + left);
  return { label, state, bar: grown, percent: PERCENT_COLUMNS, bytes, rate, clock };
}

/** The line, colours included; without them it is narrower than the columns laid out, if 16 or more. */
export function formatRow(row: ProgressRow, layout: Columns, style: Style): string {
  const { colors } = style;
  const cells = [paintLabel(row, layout.label, style)];
  if (layout.state > 0) cells.push(paintState(row, fitStart(row.state, layout.state), style));
  // Of what does not travel there is nothing to measure: its place stays empty.
  const isSkipped = row.tone === 'skipped';
  if (layout.bar > 0) {
    cells.push(isSkipped ? ' '.repeat(layout.bar) : formatBar(row, layout.bar, style));
  }
  const percent = isSkipped ? '' : formatPercent(row.doneBytes, row.sizeBytes);
  cells.push(alignRight(percent, layout.percent));
  if (layout.bytes > 0) cells.push(alignRight(formatAmount(row, layout.bytes), layout.bytes));
  // What does not move has no speed, and the rows that do are seen the better for it.
  const rests = row.tone === 'waiting' || row.tone === 'ended' || isSkipped;
  const rate = rests ? '' : formatRate(row.bytesPerSecond);
  if (layout.rate > 0) cells.push(alignRight(rate, layout.rate));
  if (layout.clock > 0) {
    const clock = rests ? '' : formatClock(row.secondsLeft);
    cells.push(
      colors.dim(alignRight(columnsOf(clock) > layout.clock ? '>1 h' : clock, layout.clock)),
    );
  }
  return cells.join(' ');
}

/** Solid for what ECR acknowledged, shaded for what is on the wire. */
function formatBar(row: ProgressRow, columns: number, style: Style): string {
  const { colors, glyphs } = style;
  if (row.sizeBytes === undefined) return colors.dim(glyphs.left.repeat(columns));
  const share = (bytes: number): number =>
    row.sizeBytes === 0 ? 1 : Math.min(1, Math.max(0, bytes / (row.sizeBytes ?? 1)));
  const done = Math.floor(share(row.doneBytes) * columns);
  const isOnWire = row.wiredBytes > row.doneBytes;
  const wired = isOnWire ? Math.max(0, Math.round(share(row.wiredBytes) * columns) - done) : 0;
  const color =
    row.tone === 'preparing' ? colors.yellow : row.tone === 'ended' ? colors.dim : colors.green;
  return (
    color(glyphs.done.repeat(done)) +
    colors.cyan(glyphs.wired.repeat(wired)) +
    colors.dim(glyphs.left.repeat(columns - done - wired))
  );
}

function formatAmount(row: ProgressRow, columns: number): string {
  if (row.sizeBytes === undefined) {
    return row.tone === 'skipped' ? '' : formatBytes(row.doneBytes);
  }
  if (columns < SPAN_COLUMNS || row.tone === 'skipped') return formatBytes(row.sizeBytes);
  return `${formatBytes(row.doneBytes)} of ${formatBytes(row.sizeBytes)}`;
}

function paintLabel(row: ProgressRow, columns: number, style: Style): string {
  if (row.tone === 'total') return style.colors.bold(fitStart(row.label, columns));
  // Of a path the end tells more.
  return fitEnd(row.label, columns);
}

function paintState(row: ProgressRow, text: string, style: Style): string {
  const { colors } = style;
  const paint: { readonly [Tone in RowTone]: (plain: string) => string } = {
    total: (plain) => plain,
    moving: colors.cyan,
    preparing: colors.yellow,
    waiting: colors.dim,
    ended: colors.dim,
    skipped: colors.dim,
  };
  return paint[row.tone](text);
}
