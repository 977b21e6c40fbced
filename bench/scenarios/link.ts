/** One layer over a link as wide and as far as a real one: what sending parts side by side gains. */

import type { Contestant, Run, Task } from '../harness/contestant-run.ts';
import { runContestant } from '../harness/contestant-run.ts';
import { runInterleaved } from '../harness/interleaved-rounds.ts';
import { waitForQuiet } from '../harness/machine-load.ts';
import { LayerFiles } from '../harness/layer-files.ts';
import type { Link } from '../harness/server-process.ts';
import { Server } from '../harness/server-process.ts';
import type { NamedRuns } from '../report/layer-table.ts';
import { isDisturbed } from '../report/layer-table.ts';
import { linkTable } from '../report/link-table.ts';
import { MEGABYTE } from '../report/quantity.ts';
import type { Scenario, ScenarioContext, Section } from '../scenario.ts';

const MIB: number = 1024 * 1024;
const LAYER_SIZE_BYTES: number = 320 * MIB;
const LAYER_SIZE_FULL_BYTES: number = 1000 * MIB;
const PART_SIZES_BYTES = [20 * MIB, 10 * MIB];
const WINDOWS = [1, 2, 4, 6, 8];
const RUNS_FULL = 3;
/** Bodies are a third larger than parts; two parts more than the window may be in the making. */
const PARTS_BEYOND_WINDOW = 2;

const LINK: Link = {
  roundTripMs: 20,
  bytesPerSecondPerConnection: 40 * MEGABYTE,
  partServiceTimeMs: 150,
};

async function* run(context: ScenarioContext): AsyncGenerator<Section> {
  const programs = (await context.programs()).files;
  await using files = new LayerFiles();
  const sizeBytes = context.full ? LAYER_SIZE_FULL_BYTES : LAYER_SIZE_BYTES;
  const layers = [await files.createRandom(sizeBytes)];
  await using server = await Server.start(programs.server, { tls: false, link: LINK });

  for (const partSizeBytes of PART_SIZES_BYTES) {
    const task: Task = { layers, partSizeBytes, layersInFlight: 1 };
    const contestants = contestantsFor(partSizeBytes);
    const runs = await runInterleaved(
      contestants,
      // The link is far slower than the machine: nothing has to be warm.
      { warmUpCount: 0, countedCount: context.runs ?? (context.full ? RUNS_FULL : 1) },
      async (contestant, round) => {
        await waitForQuiet();
        const program = programs[contestant.program];
        const result: Run = await runContestant(contestant, program, task, server);
        const speed = (result.layerBytes / MEGABYTE / (result.wallMs / 1000)).toFixed(1);
        context.progress(
          `${partSizeBytes / MIB} MiB parts, ${round}: ${contestant.name} ${speed} MB/s`,
        );
        return result;
      },
      isDisturbed,
    );
    const named: NamedRuns[] = contestants.map(({ name }, index) => ({
      name,
      runs: runs[index] ?? [],
    }));
    yield {
      table: linkTable(LINK, partSizeBytes, sizeBytes, named),
      data: { partSizeBytes, link: LINK, contestants: named },
    };
  }
}

function contestantsFor(partSizeBytes: number): Contestant[] {
  const windows = WINDOWS.map((partsInFlight): Contestant => {
    const bodies = partsInFlight + PARTS_BEYOND_WINDOW;
    const bytesInMemoryMax = Math.max(96, Math.ceil((bodies * partSizeBytes * 4) / 3 / MIB)) * MIB;
    return {
      name: `longshore, window ${partsInFlight}, memory cap ${bytesInMemoryMax / MIB} MiB`,
      program: 'longshore',
      options: { partsInFlight, bytesInMemoryMax },
    };
  });
  return [
    { name: 'plain SDK, one after another', program: 'plain-sdk' },
    ...windows,
    { name: 'longshore, defaults', program: 'longshore' },
  ];
}

export const linkScenario: Scenario = {
  name: 'link',
  summary:
    'one layer over an emulated link: 20 ms away, 150 ms service a part, 40 MB/s a connection',
  byDefault: true,
  run,
};
