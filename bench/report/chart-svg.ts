/** Draws charts as SVG that needs no script, no font file and no network. */

import { parse, View } from 'vega';
import type { TopLevelSpec } from 'vega-lite';
import { compile } from 'vega-lite';
import type { BarChart, Chart, LineChart, Role } from './chart.ts';
import { formatNumber } from './quantity.ts';

const WIDTH = 460;
const BAR_STEP = 24;
const LINE_HEIGHT = 240;
const LABEL_LENGTH_MAX = 340;
/** Head room for the figures behind the bars. */
const LABEL_ROOM = 1.25;

/** Readable on white and on black. */
const COLOURS: Readonly<Record<Role, string>> = {
  longshore: '#2f81d6',
  rival: '#d08700',
  bound: '#8a8f98',
};
const LINE_COLOURS = ['#2f81d6', '#d08700', '#2f9e58', '#c2508a', '#8b6fd1', '#b5533c'];
/** The page's own colour of text, whatever it is. */
const TEXT_COLOUR = 'currentColor';
const GRID_COLOUR = '#8a8f9844';

/** @returns an `<svg>` element with a title for those who cannot see it */
export async function drawChart(chart: Chart): Promise<string> {
  const specification = chart.kind === 'bars' ? barSpecification(chart) : lineSpecification(chart);
  const view = new View(parse(compile(specification).spec), { renderer: 'none' });
  try {
    const svg = await view.toSVG();
    return svg.replace(
      /^<svg /,
      () => `<svg role="img" aria-label="${escapeAttribute(chart.title)}" `,
    );
  } finally {
    view.finalize();
  }
}

function barSpecification({ quantity, bars }: BarChart): TopLevelSpec {
  const values = bars.map(({ name, role, spread }) => ({
    name,
    role,
    median: spread.median,
    min: spread.min,
    max: spread.max,
    label: formatNumber(spread.median),
  }));
  const scaleMax = LABEL_ROOM * Math.max(...values.map(({ max }) => max), Number.MIN_VALUE);
  const y = {
    field: 'name',
    type: 'nominal',
    sort: null,
    title: null,
    axis: { grid: false },
  } as const;
  return {
    ...frame(),
    width: WIDTH,
    height: { step: BAR_STEP },
    data: { values },
    layer: [
      {
        mark: { type: 'bar', height: { band: 0.62 } },
        encoding: {
          y,
          x: {
            field: 'median',
            type: 'quantitative',
            title: quantity,
            scale: { domain: [0, scaleMax], nice: false },
          },
          color: {
            field: 'role',
            type: 'nominal',
            legend: null,
            scale: { domain: Object.keys(COLOURS), range: Object.values(COLOURS) },
          },
        },
      },
      {
        mark: { type: 'rule', color: TEXT_COLOUR, strokeWidth: 1.5 },
        encoding: { y, x: { field: 'min', type: 'quantitative' }, x2: { field: 'max' } },
      },
      {
        mark: { type: 'text', align: 'left', dx: 6, color: TEXT_COLOUR },
        encoding: { y, x: { field: 'max', type: 'quantitative' }, text: { field: 'label' } },
      },
    ],
  };
}

function lineSpecification({ setting, quantity, series }: LineChart): TopLevelSpec {
  const values = series.flatMap(({ name, role, points }) =>
    points.map(({ x, spread: { median, min, max } }) => ({ name, role, x, median, min, max })),
  );
  const names = series.map(({ name }) => name);
  const color = {
    field: 'name',
    type: 'nominal',
    title: null,
    scale: { domain: names, range: lineColours(series.map(({ role }) => role)) },
    legend: { orient: 'bottom', columns: 2, symbolType: 'stroke' },
  } as const;
  const x = {
    field: 'x' as const,
    type: 'quantitative' as const,
    title: setting,
    axis: { values: [...new Set(values.map((value) => value.x))], format: 'd' },
    scale: { zero: false, nice: false, padding: 8 },
  };
  const y = { field: 'median', type: 'quantitative', title: quantity } as const;
  return {
    ...frame(),
    width: WIDTH,
    height: LINE_HEIGHT,
    data: { values },
    layer: [
      {
        mark: { type: 'line', strokeWidth: 2 },
        encoding: {
          x,
          y,
          color,
          strokeDash: {
            field: 'role',
            type: 'nominal',
            legend: null,
            scale: {
              domain: ['longshore', 'rival', 'bound'],
              range: [
                [1, 0],
                [1, 0],
                [5, 4],
              ],
            },
          },
        },
      },
      {
        transform: [{ filter: "datum.role !== 'bound'" }],
        mark: { type: 'point', filled: true, size: 36, opacity: 1 },
        encoding: { x, y, color },
      },
      {
        mark: { type: 'rule', strokeWidth: 1.5 },
        encoding: {
          x,
          y: { field: 'min', type: 'quantitative' },
          y2: { field: 'max' },
          color,
        },
      },
    ],
  };
}

/** Bounds are grey; the others take the next colour. */
function lineColours(roles: readonly Role[]): string[] {
  let next = 0;
  return roles.map((role) => {
    if (role === 'bound') return COLOURS.bound;
    const colour = LINE_COLOURS[next % LINE_COLOURS.length] ?? TEXT_COLOUR;
    next += 1;
    return colour;
  });
}

function frame(): Pick<TopLevelSpec, '$schema' | 'background' | 'padding' | 'config'> {
  const text = { labelColor: TEXT_COLOUR, titleColor: TEXT_COLOUR };
  return {
    background: 'transparent',
    padding: 4,
    config: {
      font: 'system-ui, sans-serif',
      view: { stroke: null },
      axis: {
        ...text,
        gridColor: GRID_COLOUR,
        domain: false,
        ticks: false,
        labelFontSize: 12,
        titleFontSize: 12,
        titleFontWeight: 'normal',
        labelLimit: LABEL_LENGTH_MAX,
        labelPadding: 6,
      },
      legend: { ...text, labelFontSize: 12, labelLimit: LABEL_LENGTH_MAX },
    },
  };
}

function escapeAttribute(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');
}
