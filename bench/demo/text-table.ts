/** A table of text that fits 80 columns. */

export interface Column {
  readonly title: string;
  readonly align: 'left' | 'right';
}

/** @param style paints whole lines: the head's, and the one of the totals */
export function formatTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  totals: readonly string[],
  style: { readonly bold: (text: string) => string; readonly dim: (text: string) => string },
): string {
  const widths = columns.map((column, index) =>
    Math.max(
      ...[[column.title], ...rows.map((row) => [row[index]]), [totals[index]]].map(
        ([cell]) => (cell ?? '').length,
      ),
    ),
  );
  const line = (cells: readonly string[]): string =>
    columns
      .map((column, index) => {
        const cell = cells[index] ?? '';
        const width = widths[index] ?? 0;
        return column.align === 'left' ? cell.padEnd(width) : cell.padStart(width);
      })
      .join('  ')
      .trimEnd();
  const rule = style.dim('─'.repeat(widths.reduce((sum, width) => sum + width + 2, -2)));
  return [
    style.bold(line(columns.map((column) => column.title))),
    rule,
    ...rows.map(line),
    rule,
    style.bold(line(totals)),
  ].join('\n');
}
