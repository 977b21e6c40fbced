/** Pushes of one image by different programs, each a process from its start to its end. */

import type { Run } from '../harness/contestant-run.ts';
import type { ImageLayout } from '../harness/image-layout.ts';
import type { Link } from '../harness/protocol.ts';
import type { Section } from '../scenario.ts';
import { median, spreadOf } from '../statistics.ts';
import type { Bar } from './chart.ts';
import { exactly, roleOf } from './chart.ts';
import { cost } from './figure.ts';
import { describeLink, imageBound, streamBound } from './link-bound.ts';
import type { NamedRuns } from './layer-table.ts';
import { leftovers, quietness } from './layer-table.ts';
import {
  formatMegabytes,
  formatNumber,
  formatRatio,
  formatShare,
  formatSpread,
  MEGABYTE,
} from './quantity.ts';

export interface PushedImage {
  readonly title: string;
  readonly link: Link;
  readonly image: ImageLayout;
  readonly partSizeBytes: number;
}

const MIB: number = 2 ** 20;

/** @param contestants longshore first */
export function pushSection(
  { title, link, image, partSizeBytes }: PushedImage,
  contestants: readonly NamedRuns[],
  peerNotes: readonly string[],
): Section {
  const bound = imageBound(link, partSizeBytes, image.layers);
  const totalBytes = image.layers.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const longestBytes = Math.max(0, ...image.layers.map(({ sizeBytes }) => sizeBytes));
  const stream = streamBound(link, partSizeBytes, longestBytes);
  const ours = median((contestants[0]?.runs ?? []).map(({ processWallMs }) => processWallMs));
  const rows = contestants.map(({ name, runs }) => {
    const wall = spreadOf(runs.map(({ processWallMs }) => processWallMs / 1000));
    const work = median(runs.map(({ wallMs }) => wallMs / 1000));
    return [
      name,
      formatSpread(wall),
      formatRatio((wall.median * 1000) / ours),
      formatNumber(work),
      // It is a bound of the JSON API; others send less and in one stream.
      roleOf(name) === 'longshore' ? formatShare(bound.seconds / work) : '-',
      formatSpread(spreadOf(runs.map(({ cpuLifetimeMs }) => cpuLifetimeMs))),
      formatMegabytes(median(runs.map(({ rssPeakBytes }) => rssPeakBytes))),
      formatNumber(median(runs.map(({ activity }) => activity.callCount))),
      formatNumber(median(runs.map(({ serverCpuMs }) => serverCpuMs))),
    ];
  });
  const bars: Bar[] = contestants.map(({ name, runs }) => ({
    name,
    role: roleOf(name),
    spread: spreadOf(runs.map(({ processWallMs }) => processWallMs / 1000)),
  }));
  const fullTitle = `${title}: ${formatMegabytes(totalBytes)} in ${image.layers.length} layers`;
  return {
    table: {
      title: fullTitle,
      columns: [
        'program',
        'whole process s',
        'vs longshore',
        'push s',
        'bound / push',
        'CPU ms',
        'peak RSS',
        'calls',
        'server CPU ms',
      ],
      rows,
      notes: [
        `link: ${describeLink(link)}, consecutive parts enforced`,
        `bound: the largest of bytes over the line ${formatNumber(bound.capacitySeconds)} s, longest layer ${formatNumber(bound.longestLayerSeconds)} s, calls over quota ${formatNumber(bound.quotaSeconds)} s (base64, parts of ${partSizeBytes / MIB} MiB)`,
        'whole process: from its start to its end, Node and its modules included; "push" is the same but for longshore, where it starts when the modules are loaded',
        'other programs speak to the /v2 face of the same emulator, without base64; there it hashes every part, which its CPU time shows',
        `they send a layer as one stream, the longest one in ${formatNumber(stream.wireSeconds)} s at least, or ${formatNumber(stream.servedSeconds)} s as the emulator reads on only when it has served a part; whether ECR does is not known`,
        ...peerNotes,
        quietness(contestants),
        ...leftovers(contestants),
      ],
    },
    charts: [
      {
        kind: 'bars',
        title: fullTitle,
        quantity: 'seconds, whole process',
        bars: [
          ...bars,
          {
            name: `bound, ${partSizeBytes / MIB} MiB parts`,
            role: 'bound',
            spread: exactly(bound.seconds),
          },
        ],
      },
    ],
    figures: contestants.flatMap(({ name, runs }) => pushFigures(name, runs)),
    data: { link, partSizeBytes, bound, contestants },
  };
}

function pushFigures(name: string, runs: readonly Run[]) {
  return [
    cost(
      `${name}: whole process`,
      's',
      runs.map(({ processWallMs }) => processWallMs / 1000),
    ),
    cost(
      `${name}: CPU`,
      'ms',
      runs.map(({ cpuLifetimeMs }) => cpuLifetimeMs),
    ),
    ...(runs.every(({ rssPeakBytes }) => Number.isFinite(rssPeakBytes))
      ? [
          cost(
            `${name}: peak RSS`,
            'MB',
            runs.map(({ rssPeakBytes }) => rssPeakBytes / MEGABYTE),
          ),
        ]
      : []),
  ];
}
