/** Where longshore's CPU time goes, thread by thread. */

import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Contestant } from '../harness/contestant-run.ts';
import { runContestant } from '../harness/contestant-run.ts';
import { LayerFiles } from '../harness/layer-files.ts';
import { Server } from '../harness/server-process.ts';
import type { CpuProfile } from '../report/cpu-profile.ts';
import { busyMs, selfTimes } from '../report/cpu-profile.ts';
import { cpuMs } from '../report/layer-table.ts';
import { formatNumber, formatShare } from '../report/quantity.ts';
import type { Table } from '../report/table.ts';
import type { Scenario, ScenarioContext, Section } from '../scenario.ts';

const MIB: number = 1024 * 1024;
const PART_SIZE_BYTES: number = 20 * MIB;
const LAYER_SIZE_BYTES: number = 260 * MIB;
const LAYER_SIZE_FULL_BYTES: number = 520 * MIB;
const LAYER_COUNT = 4;
const ROWS_MAX = 22;
const RESULTS: string = fileURLToPath(new URL('../results/', import.meta.url));

const CONTESTANTS: readonly Contestant[] = [
  { name: 'longshore', program: 'longshore' },
  { name: 'plain SDK', program: 'plain-sdk' },
];

async function* run(context: ScenarioContext): AsyncGenerator<Section> {
  const programs = (await context.programs()).files;
  await using files = new LayerFiles();
  const layers = [];
  const sizeBytes = context.full ? LAYER_SIZE_FULL_BYTES : LAYER_SIZE_BYTES;
  for (let count = 0; count < LAYER_COUNT; count += 1)
    layers.push(await files.createRandom(sizeBytes));
  const task = { layers, partSizeBytes: PART_SIZE_BYTES, layersInFlight: LAYER_COUNT };
  const partCount = (LAYER_COUNT * sizeBytes) / PART_SIZE_BYTES;

  for (const tls of [false, true]) {
    await using server = await Server.start(programs.server, { tls });
    for (const contestant of CONTESTANTS) {
      const label = `${contestant.name}, ${tls ? 'TLS' : 'plain HTTP'}`;
      context.progress(label);
      const folder = join(RESULTS, `profile-${Date.now()}`);
      mkdirSync(folder, { recursive: true });
      const result = await runContestant(contestant, programs[contestant.program], task, server, {
        // Unlike an argument, this reaches threads that are started without their parent's.
        NODE_OPTIONS: `--import ${pathToFileURL(programs['thread-profiler']).href}`,
        LONGSHORE_BENCH_PROFILE_FOLDER: folder,
      });
      const table = profileTable(label, folder, partCount, cpuMs(result));
      yield { table, data: { label, result } };
    }
  }
}

/** All threads' functions in one table, so that a stage's share of the process can be read off. */
function profileTable(label: string, folder: string, partCount: number, totalMs: number): Table {
  const threads = readdirSync(folder)
    .filter((name) => name.endsWith('.cpuprofile'))
    .map((name) => selfTimes(JSON.parse(readFileSync(join(folder, name), 'utf8')) as CpuProfile))
    .toSorted((left, right) => busyMs(right) - busyMs(left));
  const merged = new Map<string, number>();
  for (const { place, selfMs } of threads.flat()) {
    if (place !== '(idle)') merged.set(place, (merged.get(place) ?? 0) + selfMs);
  }
  const sum = threads.reduce((total, times) => total + busyMs(times), 0);
  const rows = [...merged]
    .toSorted(([, left], [, right]) => right - left)
    .slice(0, ROWS_MAX)
    .map(([place, ms]) => [place, formatNumber(ms / partCount), formatShare(ms / sum)]);
  const busy = threads.map((times) => formatNumber(busyMs(times) / partCount)).join(', ');
  return {
    title: `Profile of ${label}`,
    columns: ['function', 'self ms a part', 'of busy'],
    rows,
    notes: [
      `busy ms a part, thread by thread: ${busy}; the process used ${formatNumber(totalMs / partCount)} ms CPU a part, the rest is in threads V8 does not see (garbage collection, libuv) and in starting up`,
      'a native call is counted on the function that makes it; a busy thread that waits for a core counts as busy',
    ],
  };
}

export const profileScenario: Scenario = {
  name: 'profile',
  summary:
    'CPU profile of longshore and the plain SDK, all threads; profiles stay in bench/results',
  byDefault: false,
  run,
};
