/** Layers over links as wide and as far as real ones: what sending parts side by side gains. */

import { join } from 'node:path';
import type { Contestant, Task } from '../harness/contestant-run.ts';
import { writeImageLayout } from '../harness/image-layout.ts';
import type { Rounds } from '../harness/interleaved-rounds.ts';
import { LayerFiles } from '../harness/layer-files.ts';
import type { Link } from '../harness/protocol.ts';
import { pushInTurn } from '../peers/push-rounds.ts';
import type { NamedRuns } from '../report/layer-table.ts';
import { layerFigures } from '../report/layer-chart.ts';
import type { Sweep } from '../report/link-chart.ts';
import { linkChart, sweepChart } from '../report/link-chart.ts';
import { linkTable } from '../report/link-table.ts';
import { sweepTable } from '../report/sweep-table.ts';
import { MEGABYTE } from '../report/quantity.ts';
import type { Scenario, ScenarioContext, Section } from '../scenario.ts';
import type { LinkSettings } from './links.ts';
import { LINKS, measureLinks, runOverLink } from './links.ts';
import { memoryFor } from './part-memory.ts';

const MIB: number = 2 ** 20;
const PUSHED_PART_SIZE_BYTES: number = 10 * MIB;
/** From this size on the default memory holds fewer parts than the link could use. */
const LARGE_PART_BYTES: number = 20 * MIB;
const LARGE_MEMORY_BYTES: number = 256 * MIB;

const LINK: Link = {
  roundTripMs: 20,
  bytesPerSecondPerConnection: 40 * MEGABYTE,
  partServiceTimeMs: 150,
};

export interface WanSettings {
  readonly partSizesBytes: readonly number[];
  /** Values of `partsInFlight`. */
  readonly windows: readonly number[];
  readonly partCount: number;
  readonly rounds: Rounds;
  readonly grid: LinkSettings;
  readonly pushSizeBytes: number;
}

// Links are far slower than the machine, and their times are the emulator's: a single run of each
// tells most. Only the publishable figures need more, and a warm-up.
const QUICK: WanSettings = {
  partSizesBytes: [20 * MIB, 10 * MIB, 5 * MIB],
  windows: [2, 4, 8],
  partCount: 12,
  rounds: { warmUpCount: 0, countedCount: 1 },
  grid: {
    links: LINKS.slice(0, 4),
    partCount: 16,
    rounds: { warmUpCount: 0, countedCount: 1 },
  },
  pushSizeBytes: 60 * MIB,
};
const FULL: WanSettings = {
  partSizesBytes: [20 * MIB, 10 * MIB, 5 * MIB],
  windows: [1, 2, 4, 6, 8, 12],
  partCount: 50,
  rounds: { warmUpCount: 1, countedCount: 5 },
  grid: { links: LINKS, partCount: 40, rounds: { warmUpCount: 0, countedCount: 5 } },
  pushSizeBytes: 1000 * MIB,
};

/** The sections of the scenario for given sizes; `smoke` runs it with the smallest. */
export async function* measureWan(
  settings: WanSettings,
  context: ScenarioContext,
): AsyncGenerator<Section> {
  await using files = new LayerFiles();
  const { partCount, windows, rounds } = settings;
  const swept: Sweep[] = [];
  for (const partSizeBytes of settings.partSizesBytes) {
    const layer = await files.createRandom(partSizeBytes * partCount);
    const task: Task = { layers: [layer], partSizeBytes, layersInFlight: 1 };
    const contestants = contestantsFor(partSizeBytes, windows);
    const runs = await runOverLink(LINK, task, contestants, rounds, context);
    const named = contestants.map(({ name }, index): NamedRuns => ({
      name,
      runs: runs[index] ?? [],
    }));
    swept.push({ partSizeBytes, windows, contestants: named });
    yield {
      table: linkTable(LINK, partSizeBytes, layer.sizeBytes, named),
      charts: [linkChart(LINK, partSizeBytes, layer.sizeBytes, named)],
      figures: layerFigures(named),
      data: { partSizeBytes, link: LINK, contestants: named },
    };
  }
  yield {
    table: sweepTable(LINK, partCount, swept),
    charts: [sweepChart(LINK, partCount, swept)],
    // The same runs as above.
    data: {},
  };
  yield await measureLinks(settings.grid, context);
  const pushed = await files.createRandom(settings.pushSizeBytes);
  const image = await writeImageLayout(join(files.folder, 'one-layer'), [pushed]);
  yield await pushInTurn(
    {
      title: 'An image of one big layer',
      link: LINK,
      image,
      partSizeBytes: PUSHED_PART_SIZE_BYTES,
    },
    rounds,
    context,
  );
}

/** The sequential one first, then one for each window, then the defaults. */
function contestantsFor(partSizeBytes: number, windows: readonly number[]): Contestant[] {
  const program = 'longshore';
  return [
    { name: 'plain SDK, one after another', program: 'plain-sdk' },
    ...windows.map((partsInFlight): Contestant => {
      const bytesInMemoryMax = memoryFor(partsInFlight, partSizeBytes);
      return {
        name: `longshore, partsInFlight ${partsInFlight}, ${bytesInMemoryMax / MIB} MiB`,
        program,
        options: { partsInFlight, bytesInMemoryMax },
      };
    }),
    { name: 'longshore, defaults', program },
    ...(partSizeBytes < LARGE_PART_BYTES
      ? []
      : [
          {
            name: `longshore, defaults but ${LARGE_MEMORY_BYTES / MIB} MiB`,
            program,
            options: { bytesInMemoryMax: LARGE_MEMORY_BYTES },
          } as const,
        ]),
  ];
}

async function* run(context: ScenarioContext): AsyncGenerator<Section> {
  const settings = context.full ? FULL : QUICK;
  if (context.runs === undefined) return yield* measureWan(settings, context);
  const asked = { countedCount: context.runs };
  const rounds = { ...settings.rounds, ...asked };
  const grid = { ...settings.grid, rounds: { ...settings.grid.rounds, ...asked } };
  return yield* measureWan({ ...settings, rounds, grid }, context);
}

export const wanScenario: Scenario = {
  name: 'wan',
  summary: 'one layer over emulated links: part sizes, parts in flight, other programs',
  byDefault: true,
  run,
};
