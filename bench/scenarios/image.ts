/** What a push of an image costs: the first one, one of what is there, one with a new layer. */

import { join } from 'node:path';
import { type Contestant, type Run, runContestant } from '../harness/contestant-run.ts';
import { writeImageLayout } from '../harness/image-layout.ts';
import { LayerFiles } from '../harness/layer-files.ts';
import type { LayerFile } from '../harness/protocol.ts';
import { Server } from '../harness/server-process.ts';
import { cost } from '../report/figure.ts';
import { cpuMs, leftovers, quietness } from '../report/layer-table.ts';
import { formatMegabytes, formatNumber, formatSpread, MEGABYTE } from '../report/quantity.ts';
import type { Scenario, ScenarioContext, Section } from '../scenario.ts';
import { median, spreadOf } from '../statistics.ts';
import { measureUnevenImage, UNEVEN_FULL_MIB, UNEVEN_MIB } from './uneven-image.ts';

/** Twenty layers, uneven as those of images are, 560 MB in all. */
const LAYER_MEGABYTES: readonly number[] = [
  160, 90, 75, 50, 40, 30, 25, 20, 15, 12, 10, 8, 7, 6, 4, 3, 2, 1, 1, 1,
];
const NEW_LAYER_MEGABYTES = 10;
const RUNS = 3;
const RUNS_FULL = 5;

const CONTESTANT: Contestant = { name: 'longshore', program: 'longshore-image' };

async function* measurePushes(context: ScenarioContext): AsyncGenerator<Section> {
  const programs = (await context.programs()).files;
  await using files = new LayerFiles();
  const layers: LayerFile[] = [];
  for (const megabytes of LAYER_MEGABYTES) {
    layers.push(await files.createRandom(megabytes * MEGABYTE));
  }
  const added = await files.createRandom(NEW_LAYER_MEGABYTES * MEGABYTE);
  const base = await writeImageLayout(join(files.folder, 'base'), layers);
  const grown = await writeImageLayout(join(files.folder, 'grown'), [...layers, added]);
  await using server = await Server.start(programs.server, { tls: false });
  const pushes = [
    { name: 'first push', layout: base.folder, runs: [] as Run[] },
    { name: 'unchanged second push', layout: base.folder, runs: [] as Run[] },
    { name: 'push with one new layer', layout: grown.folder, runs: [] as Run[] },
  ];
  const count = context.runs ?? (context.full ? RUNS_FULL : RUNS);
  for (let index = 0; index < count; index += 1) {
    const repository = await server.createRepository();
    for (const { name, layout, runs } of pushes) {
      context.progress(`${name}, ${index + 1}/${count}`);
      const task = { layers: [], layersInFlight: 1, layout, repository };
      runs.push(await runContestant(CONTESTANT, programs['longshore-image'], task, server));
    }
  }
  yield {
    table: {
      title: `An image of ${layers.length} layers, ${formatMegabytes(sizeOf(layers))}, default options`,
      columns: ['push', 'calls', 'sent', 'wall ms', 'client CPU ms', 'peak RSS'],
      rows: pushes.map(({ name, runs }) => [
        name,
        formatNumber(median(runs.map(({ extra }) => extra?.['callCount'] ?? 0))),
        formatMegabytes(median(runs.map(({ extra }) => extra?.['sentBytes'] ?? 0))),
        formatSpread(spreadOf(runs.map(({ wallMs }) => wallMs))),
        formatSpread(spreadOf(runs.map(cpuMs))),
        formatMegabytes(median(runs.map(({ rssPeakBytes }) => rssPeakBytes))),
      ]),
      notes: [
        `medians of ${count} runs, a process each; digests are known from the layout and verified on the way`,
        quietness(pushes),
        ...leftovers(pushes),
      ],
    },
    charts: [
      {
        kind: 'bars',
        title: 'Time of a push',
        quantity: 'wall ms',
        bars: pushes.map(({ name, runs }) => ({
          name,
          role: 'longshore',
          spread: spreadOf(runs.map(({ wallMs }) => wallMs)),
        })),
      },
    ],
    figures: pushes.flatMap(({ name, runs }) => [
      cost(
        `${name}: wall`,
        'ms',
        runs.map(({ wallMs }) => wallMs),
      ),
      cost(`${name}: CPU`, 'ms', runs.map(cpuMs)),
      cost(
        `${name}: calls`,
        'calls',
        runs.map(({ extra }) => extra?.['callCount'] ?? 0),
      ),
    ]),
    data: pushes,
  };
}

async function* run(context: ScenarioContext): AsyncGenerator<Section> {
  yield* measurePushes(context);
  const layersMib = context.full ? UNEVEN_FULL_MIB : UNEVEN_MIB;
  // Over a link a single run tells most, and every program found takes part twice.
  const countedCount = context.runs ?? (context.full ? RUNS_FULL : 1);
  const rounds = { warmUpCount: context.full ? 1 : 0, countedCount };
  yield await measureUnevenImage(layersMib, rounds, context);
}

function sizeOf(layers: readonly LayerFile[]): number {
  return layers.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

export const imageScenario: Scenario = {
  name: 'image',
  summary: 'an image of 20 layers: first, unchanged, changed; an uneven one against other programs',
  byDefault: true,
  run,
};
