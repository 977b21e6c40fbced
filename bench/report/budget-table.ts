/** Memory and throughput against `bytesInMemoryMax`. */

import type { Run } from '../harness/contestant-run.ts';
import type { LayerFile } from '../harness/protocol.ts';
import type { ReadCost } from '../harness/read-cost.ts';
import type { Section } from '../scenario.ts';
import type { Spread } from '../statistics.ts';
import { median, spreadOf } from '../statistics.ts';
import type { LineChart, Series } from './chart.ts';
import { exactly } from './chart.ts';
import { layerFigures } from './layer-chart.ts';
import type { NamedRuns } from './layer-table.ts';
import { formatLoopDelay, leftovers, quietness, speedOf } from './layer-table.ts';
import { formatMegabytes, formatNumber, formatShare, formatSpread, MEGABYTE } from './quantity.ts';

const MIB: number = 2 ** 20;

/** What the budgets are seen against. */
export interface BudgetBackground {
  /** Runs with next to nothing to send. */
  readonly started: readonly Run[];
  readonly readCost: ReadCost;
}

/** @param contestants the default first, then one for each budget */
export function budgetSection(
  layers: readonly LayerFile[],
  budgetsBytes: readonly number[],
  contestants: readonly NamedRuns[],
  { started, readCost: { sparseMs, randomMs } }: BudgetBackground,
): Section {
  const startBytes = median(started.map(growthOf));
  const totalBytes = layers.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const against = budgetsBytes.length === 0 ? 'by default' : 'against bytesInMemoryMax';
  const title = `${layers.length} layers, ${formatMegabytes(totalBytes)} in all, ${against}`;
  const swept = contestants.slice(1);
  const series = (name: string, of: (runs: readonly Run[]) => Spread): Series => ({
    name,
    role: 'longshore',
    points: budgetsBytes.map((bytes, index) => ({
      x: bytes / MIB,
      spread: of(swept[index]?.runs ?? []),
    })),
  });
  const budgetLine: Series = {
    name: 'the budget itself',
    role: 'bound',
    points: budgetsBytes.map((bytes) => ({ x: bytes / MIB, spread: exactly(bytes / MEGABYTE) })),
  };
  const lines = (quantity: string, all: readonly Series[]): LineChart => ({
    kind: 'lines',
    title: `${quantity}: ${title}`,
    setting: 'bytesInMemoryMax, MiB',
    quantity,
    series: all,
  });
  return {
    table: {
      title,
      columns: [
        'contestant',
        'peak RSS',
        'growth',
        'beyond start / budget',
        'MB/s',
        'loop p50/p99/max ms',
      ],
      rows: contestants.map(({ name, runs }, index) => {
        const growthBytes = median(runs.map(growthOf));
        const budgetBytes = budgetsBytes[index - 1] ?? Number.NaN;
        return [
          name,
          formatMegabytes(median(runs.map(({ rssPeakBytes }) => rssPeakBytes))),
          formatMegabytes(growthBytes),
          formatShare((growthBytes - startBytes) / budgetBytes),
          formatSpread(speedOf(runs)),
          formatLoopDelay(runs),
        ];
      }),
      notes: [
        "growth: the kernel's high-water mark of the upload above what the process had before it, threads and their heaps included",
        `start: as many layers of 64 KiB let the process grow by ${formatMegabytes(startBytes)}, which no budget speaks of; "beyond start" is without that`,
        `layers are sparse files of zeros, read as other files are and not mapped, so memory does not depend on what is in them; a GiB of holes is read with ${formatNumber(sparseMs)} ms CPU, of bytes in the page cache with ${formatNumber(randomMs)} ms, and neither digest nor base64 cares for the bytes`,
        'plain HTTP, no link',
        quietness(contestants),
        ...leftovers(contestants),
      ],
    },
    charts:
      budgetsBytes.length < 2
        ? []
        : [
            lines('layer MB per second', [series('longshore', speedOf)]),
            lines('MB of memory', [
              series('peak RSS', (runs) =>
                spreadOf(runs.map(({ rssPeakBytes }) => rssPeakBytes / MEGABYTE)),
              ),
              series('growth', (runs) => spreadOf(runs.map((run) => growthOf(run) / MEGABYTE))),
              budgetLine,
            ]),
          ],
    figures: layerFigures(contestants),
    data: { budgetsBytes, contestants, started },
  };
}

function growthOf({ rssPeakBytes, rssBeforeBytes }: Run): number {
  return rssPeakBytes - rssBeforeBytes;
}
