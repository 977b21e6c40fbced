import { describe, expect, test } from 'vitest';
import type { Chart } from '../../bench/report/chart.ts';
import { exactly, roleOf } from '../../bench/report/chart.ts';
import { drawChart } from '../../bench/report/chart-svg.ts';
import { resultHtml } from '../../bench/report/html-report.ts';
import { spreadOf } from '../../bench/statistics.ts';
import { ENVIRONMENT } from './sample-environment.ts';
import { unclosedTags } from './tag-balance.ts';

const BARS: Chart = {
  kind: 'bars',
  title: 'Speed & "more"',
  quantity: 'MB/s',
  bars: [
    { name: 'longshore', role: 'longshore', spread: spreadOf([90, 100, 120]) },
    { name: 'rival <b>', role: 'rival', spread: spreadOf([50]) },
    { name: 'floor', role: 'bound', spread: exactly(200) },
  ],
};
const LINES: Chart = {
  kind: 'lines',
  title: 'Sweep',
  setting: 'parts in flight',
  quantity: 'MB/s',
  series: [
    {
      name: 'longshore',
      role: 'longshore',
      points: [1, 2, 4].map((x) => ({ x, spread: spreadOf([x * 10, x * 11]) })),
    },
    { name: 'bound', role: 'bound', points: [1, 4].map((x) => ({ x, spread: exactly(50) })) },
  ],
};

describe('charts', () => {
  test.each([BARS, LINES])(
    '$kind are well-formed SVG without scripts or addresses',
    async (chart) => {
      const svg = await drawChart(chart);
      expect(svg).toMatch(/^<svg role="img" aria-label="[^"<]+" /);
      expect(unclosedTags(svg)).toEqual([]);
      expect(svg).not.toMatch(/<script|href=|url\(http|NaN|undefined/);
      expect(svg).toContain('currentColor');
    },
  );

  test('bars carry their names and medians', async () => {
    const svg = await drawChart(BARS);
    for (const text of ['longshore', 'rival &lt;b&gt;', 'floor', '>100<', '>50.0<', '>200<']) {
      expect(svg).toContain(text);
    }
  });

  test('a chart of nothing but zeros can be drawn', async () => {
    const bars = [{ name: 'a', role: 'rival', spread: exactly(0) }] as const;
    expect(unclosedTags(await drawChart({ ...BARS, bars }))).toEqual([]);
  });

  test('names tell whose figure it is', () => {
    const names = ['longshore, wasm', 'floor: bare writer', 'bound', 'skopeo, default'];
    expect(names.map(roleOf)).toEqual(['longshore', 'bound', 'bound', 'rival']);
  });
});

test('the report is one well-formed page that loads nothing', async () => {
  const html = await resultHtml({
    startedAt: new Date('2026-11-24T06:00:00Z'),
    environment: ENVIRONMENT,
    full: false,
    scenarios: [
      {
        name: 'layer',
        sections: [
          {
            table: {
              title: 'A <title>',
              columns: ['a', 'b'],
              rows: [['1', '<2>']],
              notes: ['x & y'],
            },
            charts: [BARS, LINES],
            data: {},
          },
          {
            table: { title: LINES.title, columns: ['a'], rows: [], notes: [] },
            charts: [LINES],
            data: {},
          },
        ],
      },
    ],
  });
  expect(unclosedTags(html)).toEqual([]);
  expect(html).not.toMatch(/<script|<link|src=|href=|@import|url\(/);
  expect(html).toContain('color-scheme: light dark');
  expect(html).toContain('<h3>A &lt;title&gt;</h3>');
  expect(html).toContain('<td>&lt;2&gt;</td>');
  expect(html).toContain('<li>x &amp; y</li>');
  expect(html.match(/<svg /g)).toHaveLength(3);
  // A chart below a heading of the same words has no caption.
  expect(html.match(/<figcaption>/g)).toHaveLength(2);
  expect(html).toContain('Model 7, 2 cores');
});
