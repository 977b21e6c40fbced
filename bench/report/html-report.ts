/** The report for people: one HTML file with tables and charts, complete in itself. */

import { formatEnvironment } from '../environment.ts';
import type { Section } from '../scenario.ts';
import { drawChart } from './chart-svg.ts';
import type { Results } from './result-file.ts';
import type { Table } from './table.ts';

const STYLE = `
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
h1, h2, h3 { line-height: 1.2; }
h2 { margin-top: 3rem; border-bottom: 1px solid #8a8f9866; }
figure { margin: 1rem 0; display: inline-block; vertical-align: top; max-width: 100%; }
figcaption { font-weight: 600; margin-bottom: .3rem; }
svg { max-width: 100%; height: auto; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; white-space: nowrap; }
th, td { padding: .2rem .7rem; text-align: right; border-bottom: 1px solid #8a8f9844; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
ul, .environment { font-size: .9em; opacity: .85; }
`.trim();

/** @param results with the sections in the order in which they are shown */
export async function resultHtml(results: Results): Promise<string> {
  const { startedAt, environment, full, scenarios } = results;
  const title = `longshore, benchmark of ${startedAt.toISOString()}${full ? ', full' : ''}`;
  const body: string[] = [];
  for (const { name, sections } of scenarios) {
    body.push(`<h2>${escapeHtml(name)}</h2>`);
    for (const section of sections) body.push(await sectionHtml(section));
  }
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>${escapeHtml(title)}</title>`,
    `<style>\n${STYLE}\n</style>`,
    '</head>',
    '<body>',
    `<h1>${escapeHtml(title)}</h1>`,
    `<p class="environment">${escapeHtml(formatEnvironment(environment))}</p>`,
    '<p>Blue: longshore. Amber: others. Grey: floors and bounds. Bars are medians; the line over a bar runs from the lowest run to the highest.</p>',
    ...body,
    '</body>',
    '</html>',
    '',
  ].join('\n');
}

async function sectionHtml({ table, charts = [] }: Section): Promise<string> {
  const figures: string[] = [];
  for (const chart of charts) {
    // Right below the same words it would be noise.
    const caption =
      chart.title === table.title ? '' : `<figcaption>${escapeHtml(chart.title)}</figcaption>`;
    figures.push(`<figure>${caption}${await drawChart(chart)}</figure>`);
  }
  return [`<h3>${escapeHtml(table.title)}</h3>`, ...figures, tableHtml(table)].join('\n');
}

function tableHtml({ columns, rows, notes }: Table): string {
  const row = (cells: readonly string[], tag: 'th' | 'td'): string =>
    `<tr>${cells.map((cell) => `<${tag}>${escapeHtml(cell)}</${tag}>`).join('')}</tr>`;
  return [
    '<div class="scroll"><table>',
    `<thead>${row(columns, 'th')}</thead>`,
    '<tbody>',
    ...rows.map((cells) => row(cells, 'td')),
    '</tbody>',
    '</table></div>',
    ...(notes.length === 0
      ? []
      : ['<ul>', ...notes.map((note) => `<li>${escapeHtml(note)}</li>`), '</ul>']),
  ].join('\n');
}

function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
