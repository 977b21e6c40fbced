/** What it costs to begin: loading the library, the first part on the wire, the package's size. */

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Child } from '../harness/child-process.ts';
import { runContestant } from '../harness/contestant-run.ts';
import { LayerFiles } from '../harness/layer-files.ts';
import { Server } from '../harness/server-process.ts';
import { cost } from '../report/figure.ts';
import { formatNumber, formatSpread, MEGABYTE } from '../report/quantity.ts';
import type { Scenario, ScenarioContext, Section } from '../scenario.ts';
import { spreadOf } from '../statistics.ts';

const MIB: number = 2 ** 20;
const ROOT: string = fileURLToPath(new URL('../../', import.meta.url));
const RUNS = 5;
const RUNS_FULL = 15;

interface Import {
  readonly importMs: number;
  readonly scripts: { readonly count: number; readonly sizeBytes: number };
}

/** What is loaded, and the SDK, which longshore cannot do without but loads with its first call only. */
const MODULES = ['longshore', '@aws-sdk/client-ecr'] as const;

/** The section of the scenario for so many runs; `smoke` runs it once. */
export async function measureStartup(count: number, context: ScenarioContext): Promise<Section> {
  const rows: string[][] = [];
  const figures = [];
  const data: Record<string, unknown> = {};
  for (const name of MODULES) {
    context.progress(`import '${name}'`);
    const times: number[] = [];
    for (let index = 0; index < count; index += 1) {
      times.push((await importOnce(name, false, context)).importMs);
    }
    const { scripts } = await importOnce(name, true, context);
    const sizeMegabytes = scripts.sizeBytes / MEGABYTE;
    rows.push(
      [`import '${name}'`, 'ms', formatSpread(spreadOf(times))],
      [`modules of it: ${scripts.count}`, 'MB', formatNumber(sizeMegabytes)],
    );
    figures.push(
      cost(`import ${name}`, 'ms', times),
      cost(`modules of ${name}`, 'MB', [sizeMegabytes]),
    );
    data[name] = { times, scripts };
  }

  context.progress('the first part');
  const firstPartMs = await firstPartTimes(count, context);
  rows.push([
    'createUploader to the first part on the wire',
    'ms',
    formatSpread(spreadOf(firstPartMs)),
  ]);
  figures.push(cost('first part', 'ms', firstPartMs));

  const { size, unpackedSize } = await packedSize();
  rows.push(
    ['packed tarball', 'kB', formatNumber(size / 1000)],
    ['unpacked', 'kB', formatNumber(unpackedSize / 1000)],
  );
  figures.push(cost('packed tarball', 'kB', [size / 1000]));
  return {
    table: {
      title: 'Starting up',
      columns: ['what', 'unit', 'median (min-max)'],
      rows,
      notes: [
        `${count} runs, a process each; files are in the page cache`,
        "modules: the scripts that V8 parsed, counted in a run of its own; the SDK comes with longshore's first call",
        'first part: the SDK is loaded before; until the server sees the head of its request, plain HTTP on this machine, no round trip',
      ],
    },
    figures,
    data: { ...data, firstPartMs, size, unpackedSize },
  };
}

async function importOnce(
  name: string,
  counts: boolean,
  context: ScenarioContext,
): Promise<Import> {
  const { files } = await context.programs();
  await using child = new Child('the import', files['import-time']);
  return (await child.ask({ name, counts })) as Import;
}

async function firstPartTimes(count: number, context: ScenarioContext): Promise<number[]> {
  const programs = (await context.programs()).files;
  await using files = new LayerFiles();
  const layers = [await files.createRandom(20 * MIB)];
  await using server = await Server.start(programs.server, { tls: false });
  const times: number[] = [];
  for (let index = 0; index < count; index += 1) {
    const { extra, activity } = await runContestant(
      { name: 'longshore', program: 'longshore' },
      programs.longshore,
      { layers, layersInFlight: 1 },
      server,
    );
    const { firstPartAtMs = Number.NaN } = activity;
    times.push(firstPartAtMs - (extra?.['createdAtMs'] ?? Number.NaN));
  }
  return times;
}

async function packedSize(): Promise<{ readonly size: number; readonly unpackedSize: number }> {
  const { stdout } = await promisify(execFile)(
    'npm',
    ['pack', '--dry-run', '--json', '--ignore-scripts'],
    { cwd: ROOT },
  );
  const [packed] = JSON.parse(stdout) as readonly {
    readonly size: number;
    readonly unpackedSize: number;
  }[];
  if (packed === undefined) throw new Error('npm pack named no tarball');
  return packed;
}

async function* run(context: ScenarioContext): AsyncGenerator<Section> {
  yield await measureStartup(context.runs ?? (context.full ? RUNS_FULL : RUNS), context);
}

export const startupScenario: Scenario = {
  name: 'startup',
  summary: 'loading the library, the first part on the wire, the size of the package',
  byDefault: true,
  run,
};
