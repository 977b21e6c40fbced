/** Layers over links as wide and as far as real ones: what sending parts side by side gains. */

import { join } from 'node:path';
import type { Contestant, Task } from '../harness/contestant-run.ts';
import { runContestant } from '../harness/contestant-run.ts';
import { writeImageLayout } from '../harness/image-layout.ts';
import type { Rounds } from '../harness/interleaved-rounds.ts';
import { runFairly } from '../harness/fair-rounds.ts';
import { LayerFiles } from '../harness/layer-files.ts';
import type { Link } from '../harness/protocol.ts';
import { Server } from '../harness/server-process.ts';
import { pushInTurn } from '../peers/push-rounds.ts';
import type { NamedRuns } from '../report/layer-table.ts';
import { layerFigures } from '../report/layer-chart.ts';
import { linkChart, sweepChart } from '../report/link-chart.ts';
import { linkTable } from '../report/link-table.ts';
import { MEGABYTE } from '../report/quantity.ts';
import type { Scenario, ScenarioContext, Section } from '../scenario.ts';

const MIB: number = 2 ** 20;
/** Bodies are a third larger than parts; two parts more than the window may be in the making. */
const PARTS_BEYOND_WINDOW = 2;
const MEMORY_MIB_MIN = 96;

const LINK: Link = {
  roundTripMs: 20,
  bytesPerSecondPerConnection: 40 * MEGABYTE,
  partServiceTimeMs: 150,
};

/** From next door to the other end of the world; the default window was tuned for none of them. */
const LINKS: readonly Link[] = [
  { roundTripMs: 5, jitterMs: 2, bytesPerSecondPerConnection: 200e6, partServiceTimeMs: 30 },
  { roundTripMs: 20, jitterMs: 10, bytesPerSecondPerConnection: 40e6, partServiceTimeMs: 150 },
  { roundTripMs: 100, jitterMs: 40, bytesPerSecondPerConnection: 20e6, partServiceTimeMs: 400 },
  { roundTripMs: 200, jitterMs: 80, bytesPerSecondPerConnection: 5e6, partServiceTimeMs: 1000 },
];

export interface WanSettings {
  readonly partSizesBytes: readonly number[];
  readonly windows: readonly number[];
  readonly partCount: number;
  readonly rounds: Rounds;
  readonly links: readonly Link[];
  readonly adaptiveWindows: readonly number[];
  readonly adaptivePartCount: number;
  readonly adaptiveRounds: Rounds;
  readonly pushSizeBytes: number;
}

// Links are far slower than the machine: only the publishable figures need a warm-up.
const QUICK: WanSettings = {
  partSizesBytes: [20 * MIB, 10 * MIB, 5 * MIB],
  windows: [4, 8],
  partCount: 6,
  rounds: { warmUpCount: 0, countedCount: 3 },
  links: LINKS.slice(0, 3),
  adaptiveWindows: [8],
  adaptivePartCount: 12,
  adaptiveRounds: { warmUpCount: 0, countedCount: 1 },
  pushSizeBytes: 60 * MIB,
};
const FULL: WanSettings = {
  partSizesBytes: [20 * MIB, 10 * MIB, 5 * MIB],
  windows: [1, 2, 4, 6, 8, 12],
  partCount: 50,
  rounds: { warmUpCount: 1, countedCount: 5 },
  links: LINKS,
  adaptiveWindows: [1, 2, 4, 6, 8, 12],
  adaptivePartCount: 40,
  adaptiveRounds: { warmUpCount: 1, countedCount: 5 },
  pushSizeBytes: 1000 * MIB,
};

/** The sections of the scenario for given sizes; `smoke` runs it with the smallest. */
export async function* measureWan(
  settings: WanSettings,
  context: ScenarioContext,
): AsyncGenerator<Section> {
  await using files = new LayerFiles();
  const swept = [];
  for (const partSizeBytes of settings.partSizesBytes) {
    const { partCount, windows, rounds } = settings;
    const layer = await files.createRandom(partSizeBytes * partCount);
    const task: Task = { layers: [layer], partSizeBytes, layersInFlight: 1 };
    const contestants = contestantsFor(partSizeBytes, windows);
    const named = await runOverLink(LINK, task, contestants, rounds, context);
    swept.push({ partSizeBytes, windows, contestants: named });
    yield {
      table: linkTable(LINK, partSizeBytes, layer.sizeBytes, named),
      charts: [
        linkChart(LINK, partSizeBytes, layer.sizeBytes, named),
        // Once all sizes are there, they are shown side by side.
        ...(swept.length === settings.partSizesBytes.length && windows.length > 1
          ? [sweepChart(LINK, partCount, swept)]
          : []),
      ],
      figures: layerFigures(named),
      data: { partSizeBytes, link: LINK, contestants: named },
    };
  }

  const partSizeBytes = 10 * MIB;
  const adaptive = await files.createRandom(partSizeBytes * settings.adaptivePartCount);
  for (const link of settings.links) {
    const task: Task = { layers: [adaptive], partSizeBytes, layersInFlight: 1 };
    const contestants = contestantsFor(partSizeBytes, settings.adaptiveWindows).slice(1);
    const named = await runOverLink(link, task, contestants, settings.adaptiveRounds, context);
    yield {
      table: linkTable(link, partSizeBytes, adaptive.sizeBytes, named),
      charts: [linkChart(link, partSizeBytes, adaptive.sizeBytes, named)],
      figures: layerFigures(named),
      data: { partSizeBytes, link, contestants: named },
    };
  }

  const pushed = await files.createRandom(settings.pushSizeBytes);
  const image = await writeImageLayout(join(files.folder, 'one-layer'), [pushed]);
  yield await pushInTurn(
    { title: 'An image of one big layer', link: LINK, image, partSizeBytes },
    settings.rounds,
    context,
  );
}

async function runOverLink(
  link: Link,
  task: Task,
  contestants: readonly Contestant[],
  rounds: Rounds,
  context: ScenarioContext,
): Promise<NamedRuns[]> {
  const programs = (await context.programs()).files;
  await using server = await Server.start(programs.server, { tls: false, link });
  const mib = (task.partSizeBytes ?? 0) / MIB;
  const runs = await runFairly(
    contestants,
    rounds,
    async (contestant, round) => {
      const result = await runContestant(contestant, programs[contestant.program], task, server);
      const speed = (result.layerBytes / MEGABYTE / (result.wallMs / 1000)).toFixed(1);
      context.progress(
        `${link.roundTripMs} ms away, ${mib} MiB parts, ${round}: ${contestant.name} ${speed} MB/s`,
      );
      return result;
    },
    context,
  );
  return contestants.map(({ name }, index) => ({ name, runs: runs[index] ?? [] }));
}

/** The sequential one first, the default last. */
function contestantsFor(partSizeBytes: number, windows: readonly number[]): Contestant[] {
  return [
    { name: 'plain SDK, one after another', program: 'plain-sdk' },
    ...windows.map((partsInFlight): Contestant => {
      const bodies = partsInFlight + PARTS_BEYOND_WINDOW;
      const neededMib = Math.ceil((bodies * partSizeBytes * 4) / 3 / MIB);
      const bytesInMemoryMax = Math.max(MEMORY_MIB_MIN, neededMib) * MIB;
      return {
        name: `longshore, window ${partsInFlight}, ${bytesInMemoryMax / MIB} MiB`,
        program: 'longshore',
        options: { partsInFlight, bytesInMemoryMax },
      };
    }),
    { name: 'longshore, defaults', program: 'longshore' },
  ];
}

async function* run(context: ScenarioContext): AsyncGenerator<Section> {
  const settings = context.full ? FULL : QUICK;
  if (context.runs === undefined) return yield* measureWan(settings, context);
  const asked = { countedCount: context.runs };
  return yield* measureWan(
    {
      ...settings,
      rounds: { ...settings.rounds, ...asked },
      adaptiveRounds: { ...settings.adaptiveRounds, ...asked },
    },
    context,
  );
}

export const wanScenario: Scenario = {
  name: 'wan',
  summary: 'one layer over emulated links: part sizes, parts in flight, other programs',
  byDefault: true,
  run,
};
