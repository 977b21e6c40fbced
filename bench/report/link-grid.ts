/** One layer over many links that nothing was tuned for: what share of each bound is reached. */

import type { LayerFile, Link } from '../harness/protocol.ts';
import type { Section } from '../scenario.ts';
import type { Run } from '../harness/contestant-run.ts';
import { spreadOf } from '../statistics.ts';
import { exactly } from './chart.ts';
import { gain } from './figure.ts';
import { nameLink, orderedBoundOf, partsNeeded } from './link-bound.ts';
import { formatWindow, WINDOW_NOTE } from './link-table.ts';
import { leftovers, quietness, speedOf } from './layer-table.ts';
import { formatNumber, formatShare, MEGABYTE } from './quantity.ts';

const MIB: number = 2 ** 20;
/** What `bytesInMemoryMax` is by default. */
const MEMORY_BY_DEFAULT_BYTES: number = 128 * MIB;

/** The same layer over one link, by defaults and with as many parts as the formula says. */
export interface LinkRuns {
  readonly link: Link;
  readonly byDefault: readonly Run[];
  readonly byFormula: readonly Run[];
}

/** @param withoutLink runs with the defaults where nothing but this machine is in the way */
export function linkGridSection(
  layer: Pick<LayerFile, 'sizeBytes'>,
  partSizeBytes: number,
  links: readonly LinkRuns[],
  withoutLink: readonly Run[],
): Section {
  const machine = speedOf(withoutLink).median;
  const partCount = Math.ceil(layer.sizeBytes / partSizeBytes);
  const measured = links.map(({ link, byDefault, byFormula }) => {
    const linkBound = orderedBoundOf(link, partSizeBytes, layer.sizeBytes) / MEGABYTE;
    return { link, byDefault, byFormula, linkBound, bound: Math.min(linkBound, machine) };
  });
  const title = `Links that nothing was tuned for: a layer of ${partCount} parts of ${partSizeBytes / MIB} MiB`;
  const memoryParts = Math.floor(MEMORY_BY_DEFAULT_BYTES / ((partSizeBytes * 4) / 3));
  const contestants = links.flatMap(({ link, byDefault, byFormula }) => [
    { name: `longshore, defaults: ${nameLink(link)}`, runs: byDefault },
    { name: `longshore, as the formula says: ${nameLink(link)}`, runs: byFormula },
  ]);
  const shares = (runs: readonly Run[], bound: number) =>
    spreadOf(runs.map(({ layerBytes, wallMs }) => (layerBytes * 1000) / wallMs / MEGABYTE / bound));
  return {
    table: {
      title,
      columns: [
        'link',
        'bound MB/s',
        'defaults MB/s',
        'of bound',
        'window end/most',
        'by formula',
        'with that MB/s',
        'of bound',
      ],
      rows: measured.map(({ link, byDefault, byFormula, linkBound, bound }) => [
        nameLink(link),
        linkBound > machine ? `${formatNumber(bound)} (machine)` : formatNumber(bound),
        formatNumber(speedOf(byDefault).median),
        formatShare(shares(byDefault, bound).median),
        formatWindow(byDefault),
        String(partsNeeded(link, partSizeBytes)),
        formatNumber(speedOf(byFormula).median),
        formatShare(shares(byFormula, bound).median),
      ]),
      notes: [
        'link: round trip with its jitter, service time a part, speed of a connection',
        "bound: of a layer this long, parts served one after another, with its first part's way and the calls around",
        `(machine): without any link this layer goes at ${formatNumber(machine)} MB/s on this machine, server included, which is less than the link's bound`,
        `by formula: (wire time + service time + mean round trip) / (service time + mean round trip), rounded up; that run has partsInFlight so and memory for them`,
        `the default memory holds ${memoryParts} such parts at a time`,
        WINDOW_NOTE,
        quietness(contestants),
        ...leftovers(contestants),
      ],
    },
    charts: [
      {
        kind: 'bars',
        title,
        quantity: '% of the bound, default options',
        bars: [
          ...measured.map(({ link, byDefault, bound }) => {
            const { median, min, max, deviationShare } = shares(byDefault, bound);
            const percent = { median: median * 100, min: min * 100, max: max * 100 };
            const role = 'longshore' as const;
            return { name: nameLink(link), role, spread: { ...percent, deviationShare } };
          }),
          { name: 'bound', role: 'bound', spread: exactly(100) },
        ],
      },
    ],
    figures: contestants.map(({ name, runs }) =>
      gain(
        name,
        'MB/s',
        runs.map(({ layerBytes, wallMs }) => (layerBytes * 1000) / wallMs / MEGABYTE),
      ),
    ),
    data: { partSizeBytes, links: measured, withoutLink },
  };
}
