/** Tables of the `sync` scenario: what a copy of many images cost, and what both registries saw of it. */

import { FOREIGN_SHARE_MAX } from '../harness/machine-load.ts';
import type { Section } from '../scenario.ts';
import { median, spreadOf } from '../statistics.ts';
import type { SyncRunResult } from '../sync/sync-run.ts';
import { exactly, roleOf } from './chart.ts';
import { cost, type Figure } from './figure.ts';
import {
  formatMegabytes,
  formatNumber,
  formatRatio,
  formatShare,
  formatSpread,
  MEGABYTE,
} from './quantity.ts';
import type { Table } from './table.ts';

export interface NamedSyncs {
  readonly name: string;
  readonly runs: readonly SyncRunResult[];
}

const COLUMNS = [
  'program',
  'wall s',
  'vs longshore',
  'source requests',
  'source MB',
  'twice read',
  'target calls',
  'target MB',
  'uploads',
  'throttled',
  'CPU ms',
  'peak RSS',
  'tags right',
] as const;

/** @param programs longshore first */
export function syncSection(
  title: string,
  programs: readonly NamedSyncs[],
  notes: readonly string[],
): Section {
  const ours = median((programs[0]?.runs ?? []).map(({ wallMs }) => wallMs));
  const of = (runs: readonly SyncRunResult[], value: (run: SyncRunResult) => number): number =>
    median(runs.map(value));
  const table: Table = {
    title,
    columns: [...COLUMNS],
    rows: programs.map(({ name, runs }) => [
      name,
      formatSpread(spreadOf(runs.map(({ wallMs }) => wallMs / 1000))),
      formatRatio(of(runs, ({ wallMs }) => wallMs) / ours),
      formatNumber(of(runs, (run) => run.sourceRequestCount)),
      formatNumber(of(runs, (run) => run.sourceBytes / MEGABYTE)),
      formatNumber(of(runs, (run) => run.duplicateReadCount)),
      formatNumber(of(runs, ({ target }) => target.callCount)),
      formatNumber(of(runs, ({ target }) => target.receivedBytes / MEGABYTE)),
      formatNumber(of(runs, ({ target }) => target.uploadCount)),
      formatNumber(of(runs, ({ target }) => target.throttledCount)),
      formatSpread(spreadOf(runs.map(({ cpuMs }) => cpuMs))),
      formatMegabytes(of(runs, ({ rssPeakBytes }) => rssPeakBytes)),
      formatShare(of(runs, (run) => run.rightTagCount / run.tagCount)),
    ]),
    notes: [...notes, ...mountNotes(programs), ...failureNotes(programs), quietness(programs)],
  };
  return {
    table,
    charts: [
      {
        kind: 'bars',
        title,
        quantity: 'seconds, whole process',
        bars: programs.map(({ name, runs }) => ({
          name,
          role: roleOf(name),
          spread: spreadOf(runs.map(({ wallMs }) => wallMs / 1000)),
        })),
      },
    ],
    figures: programs.flatMap(({ name, runs }) => figuresOf(name, runs)),
    data: programs,
  };
}

/** Time of each image as their number grows. */
export function growthSection(
  title: string,
  sizes: readonly { readonly imageCount: number; readonly run: SyncRunResult }[],
  notes: readonly string[],
): Section {
  const perImage = ({ imageCount, run }: (typeof sizes)[number]): number => run.wallMs / imageCount;
  const first = sizes[0] === undefined ? Number.NaN : perImage(sizes[0]);
  return {
    table: {
      title,
      columns: [
        'images',
        'wall s',
        'ms an image',
        'vs fewest',
        'CPU ms an image',
        'peak RSS',
        'target calls an image',
        'twice read',
        'throttled',
        'tags right',
      ],
      rows: sizes.map((size) => [
        String(size.imageCount),
        formatNumber(size.run.wallMs / 1000),
        formatNumber(perImage(size)),
        formatRatio(perImage(size) / first),
        formatNumber(size.run.cpuMs / size.imageCount),
        formatMegabytes(size.run.rssPeakBytes),
        formatNumber(size.run.target.callCount / size.imageCount),
        formatNumber(size.run.duplicateReadCount),
        formatNumber(size.run.target.throttledCount),
        formatShare(size.run.rightTagCount / size.run.tagCount),
      ]),
      notes: [...notes, quietness([{ name: title, runs: sizes.map(({ run }) => run) }])],
    },
    charts: [
      {
        kind: 'lines',
        title,
        setting: 'images',
        quantity: 'ms an image',
        series: [
          {
            name: 'longshore',
            role: 'longshore',
            points: sizes.map((size) => ({ x: size.imageCount, spread: exactly(perImage(size)) })),
          },
        ],
      },
    ],
    figures: sizes.map((size) =>
      cost(`${size.imageCount} images`, 'ms an image', [perImage(size)]),
    ),
    data: sizes,
  };
}

function figuresOf(name: string, runs: readonly SyncRunResult[]): Figure[] {
  return [
    cost(
      `${name}: wall`,
      's',
      runs.map(({ wallMs }) => wallMs / 1000),
    ),
    cost(
      `${name}: CPU`,
      'ms',
      runs.map(({ cpuMs }) => cpuMs),
    ),
    cost(
      `${name}: target calls`,
      'calls',
      runs.map(({ target }) => target.callCount),
    ),
  ];
}

/** Of the places that a blob has beyond its first one, those that cost no upload. */
function mountNotes(programs: readonly NamedSyncs[]): string[] {
  return programs.flatMap(({ name, runs }) => {
    const [run] = runs;
    if (run === undefined || run.target.uploadCount === 0) return [];
    const { placeCount, blobCount, uploadCount } = run.target;
    const share = (placeCount - uploadCount) / (placeCount - blobCount);
    return [
      `${name}: ${blobCount} blobs in ${placeCount} places, ${formatShare(share)} of those that could be mounted were`,
    ];
  });
}

function failureNotes(programs: readonly NamedSyncs[]): string[] {
  return programs.flatMap(({ name, runs }) => {
    const failed = runs.find(({ exitCode }) => exitCode !== 0);
    if (failed === undefined) return [];
    const said = failed.output.split('\n').at(-1) ?? '';
    return [`${name} ended with ${String(failed.exitCode)}: ${said.slice(0, 200)}`];
  });
}

function quietness(programs: readonly NamedSyncs[]): string {
  const shares = programs.flatMap(({ runs }) => runs.map(({ foreignShare }) => foreignShare));
  const most = Math.max(0, ...shares);
  const verdict = most > FOREIGN_SHARE_MAX ? 'provisional: the machine was busy' : 'quiet';
  // A real registry's own work is not known and stands in here.
  return `other work on the machine, the source's among it: ${formatShare(most)} at most (${verdict} beyond ${formatShare(FOREIGN_SHARE_MAX)})`;
}
