/** Links from next door to the other end of the world: does the window find its size by itself? */

import type { Contestant, Run, Task } from '../harness/contestant-run.ts';
import { runContestant } from '../harness/contestant-run.ts';
import { runFairly } from '../harness/fair-rounds.ts';
import type { Rounds } from '../harness/interleaved-rounds.ts';
import { LayerFiles } from '../harness/layer-files.ts';
import type { Link } from '../harness/protocol.ts';
import { Server } from '../harness/server-process.ts';
import { partsNeeded } from '../report/link-bound.ts';
import type { LinkRuns } from '../report/link-grid.ts';
import { linkGridSection } from '../report/link-grid.ts';
import { MEGABYTE } from '../report/quantity.ts';
import type { ScenarioContext, Section } from '../scenario.ts';
import { memoryFor } from './part-memory.ts';

const MIB: number = 2 ** 20;
/** What ECR asks for. */
const PART_SIZE_BYTES: number = 10 * MIB;
const DEFAULTS: Contestant = { name: 'longshore, defaults', program: 'longshore' };

/**
 * Round trip and jitter in ms, speed of a connection in MB/s, service time in ms. The slow ones are
 * last: the quick benchmark leaves them out.
 */
const GRID: readonly (readonly [number, number, number, number])[] = [
  [5, 2, 200, 30],
  [5, 2, 50, 100],
  [100, 40, 20, 30],
  [200, 80, 200, 30],
  [50, 20, 100, 60],
  [100, 40, 20, 400],
  [150, 50, 5, 50],
  [200, 80, 5, 1000],
];

export const LINKS: readonly Link[] = GRID.map(
  ([roundTripMs, jitterMs, megabytesPerSecond, partServiceTimeMs]) => ({
    roundTripMs,
    jitterMs,
    bytesPerSecondPerConnection: megabytesPerSecond * MEGABYTE,
    partServiceTimeMs,
  }),
);

export interface LinkSettings {
  readonly links: readonly Link[];
  readonly partCount: number;
  readonly rounds: Rounds;
}

/** Each link by defaults and with as many parts in flight as the formula says. */
export async function measureLinks(
  { links, partCount, rounds }: LinkSettings,
  context: ScenarioContext,
): Promise<Section> {
  await using files = new LayerFiles();
  const layer = await files.createRandom(PART_SIZE_BYTES * partCount);
  const task: Task = { layers: [layer], partSizeBytes: PART_SIZE_BYTES, layersInFlight: 1 };
  const measure = (contestants: readonly Contestant[], link?: Link): Promise<Run[][]> =>
    runOverLink(link, task, contestants, rounds, context);
  const [withoutLink = []] = await measure([DEFAULTS]);
  const measured: LinkRuns[] = [];
  for (const link of links) {
    const partsInFlight = partsNeeded(link, PART_SIZE_BYTES);
    const bytesInMemoryMax = memoryFor(partsInFlight, PART_SIZE_BYTES);
    const byHand: Contestant = {
      name: `longshore, partsInFlight ${partsInFlight}`,
      program: 'longshore',
      options: { partsInFlight, bytesInMemoryMax },
    };
    const [byDefault = [], byFormula = []] = await measure([DEFAULTS, byHand], link);
    measured.push({ link, byDefault, byFormula });
  }
  return linkGridSection(layer, PART_SIZE_BYTES, measured, withoutLink);
}

/** Contestants in turn over one link, or over none. */
export async function runOverLink(
  link: Link | undefined,
  task: Task,
  contestants: readonly Contestant[],
  rounds: Rounds,
  context: ScenarioContext,
): Promise<Run[][]> {
  const programs = (await context.programs()).files;
  await using server = await Server.start(programs.server, {
    tls: false,
    ...(link !== undefined && { link }),
  });
  const away = link === undefined ? 'no link' : `${link.roundTripMs} ms away`;
  return await runFairly(
    contestants,
    rounds,
    async (contestant, round) => {
      const result = await runContestant(contestant, programs[contestant.program], task, server);
      const speed = (result.layerBytes / MEGABYTE / (result.wallMs / 1000)).toFixed(1);
      const mib = (task.partSizeBytes ?? 0) / MIB;
      context.progress(`${away}, ${mib} MiB parts, ${round}: ${contestant.name} ${speed} MB/s`);
      return result;
    },
    context,
  );
}
