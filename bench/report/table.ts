/** A table as it is printed and saved: Markdown that also reads well in a terminal. */

export interface Table {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Sentences below the table: units, bounds, what was left out. */
  readonly notes: readonly string[];
}

/** Formats a table with padded cells, numbers to the right. */
export function formatTable(table: Table): string {
  const grid = [table.columns, ...table.rows].map((row) => row.map(escapeCell));
  const widths = table.columns.map((_, column) =>
    Math.max(3, ...grid.map((row) => row[column]?.length ?? 0)),
  );
  const [header = [], ...body] = grid.map((row) => formatRow(row, widths));
  const rule = widths.map((width, column) =>
    column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`,
  );
  const lines = [header, `| ${rule.join(' | ')} |`, ...body];
  const notes = table.notes.map((note) => `- ${note}`);
  return [`### ${table.title}`, '', ...lines, ...(notes.length > 0 ? ['', ...notes] : []), ''].join(
    '\n',
  );
}

function formatRow(cells: readonly string[], widths: readonly number[]): string {
  const padded = widths.map((width, column) => {
    const cell = cells[column] ?? '';
    return column === 0 ? cell.padEnd(width) : cell.padStart(width);
  });
  return `| ${padded.join(' | ')} |`;
}

function escapeCell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
