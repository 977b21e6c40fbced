/** A registry full of images into ECR, by longshore and by other programs: first, again, under quotas. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { summaryOf } from '../../test/sync/corpus.ts';
import { type CorpusSpec, makeCorpus } from '../../test/sync/corpus-maker.ts';
import { cleanUpAtExit } from '../harness/cleanup.ts';
import { waitForQuiet } from '../harness/machine-load.ts';
import { formatMegabytes } from '../report/quantity.ts';
import { growthSection, type NamedSyncs, syncSection } from '../report/sync-table.ts';
import type { Scenario, ScenarioContext, Section } from '../scenario.ts';
import { findRivals, longshoreProgram, type SyncProgram } from '../sync/sync-program.ts';
import { runSyncProgram, type SyncRunResult, SyncTarget } from '../sync/sync-run.ts';
import { startSource, type SyncSource } from '../sync/sync-source.ts';

export interface SyncSizes {
  /** Of the comparison. Images of one repository are many: most registries are like that. */
  readonly compared: CorpusSpec;
  /** Of what is copied under ECR's quotas: 10 manifests and tags a second take their time. */
  readonly limited: CorpusSpec;
  /** Numbers of images of which the time of each is looked at. */
  readonly imageCounts: readonly number[];
  readonly runCount: number;
}

/** Other programs copy no referrers, so nobody has to. */
const PLAIN = { referrerShare: 0 } as const;
const QUICK: SyncSizes = {
  compared: { ...PLAIN, imageCount: 200, repositoryCount: 10 },
  limited: { ...PLAIN, imageCount: 100, repositoryCount: 10 },
  imageCounts: [100, 200, 400],
  runCount: 1,
};
const FULL: SyncSizes = {
  compared: { ...PLAIN, imageCount: 1000, repositoryCount: 50 },
  limited: { ...PLAIN, imageCount: 300, repositoryCount: 20 },
  imageCounts: [500, 1000, 5000],
  runCount: 3,
};
const IMAGES_PER_REPOSITORY = 20;
/** Quotas are easily kept where every call waits for the one before it: a region away it shows. */
const LIMITED_ROUND_TRIP_MS = 20;

const NOTES = [
  'wall: whole processes, from their start to their end; source MB without heads',
  "target calls: ECR's, of both faces; target MB: bodies as they were sent, base64 included; the target keeps and hashes all",
] as const;

/** The sections of the scenario for given sizes; `smoke` runs it with the smallest. */
export async function* measureSync(
  { compared, limited, imageCounts, runCount }: SyncSizes,
  context: ScenarioContext,
): AsyncGenerator<Section> {
  const { files } = await context.programs();
  const longshore = longshoreProgram(join(dirname(files.server), 'dist/src/cli/main.js'));
  const { found, notes } = findRivals();
  const programs = [longshore, ...found];
  const texts = [...NOTES, ...programs.map(({ name, summary }) => `${name}: ${summary}`), ...notes];
  const bench = new SyncBench(context, files['sync-target'], files['corpus-server']);
  yield* bench.compare('without quotas', compared, programs, { quotas: false, runCount }, texts);
  const away = `under ECR's quotas, ${LIMITED_ROUND_TRIP_MS} ms away`;
  yield* bench.compare(away, limited, programs, { quotas: true, runCount }, texts);
  yield await bench.grow(imageCounts, longshore);
}

class SyncBench {
  readonly #context: ScenarioContext;
  readonly #targetFile: string;
  readonly #sourceFile: string;

  constructor(context: ScenarioContext, targetFile: string, sourceFile: string) {
    this.#context = context;
    this.#targetFile = targetFile;
    this.#sourceFile = sourceFile;
  }

  /** Each program in turn into a target of its own, twice. */
  async *compare(
    label: string,
    spec: CorpusSpec,
    programs: readonly SyncProgram[],
    { quotas, runCount }: { readonly quotas: boolean; readonly runCount: number },
    notes: readonly string[],
  ): AsyncGenerator<Section> {
    const corpus = makeCorpus(spec);
    const { tagCount, blobBytes } = summaryOf(corpus);
    const cold: NamedSyncs[] = [];
    const warm: NamedSyncs[] = [];
    await using source = await startSource(corpus, spec, this.#sourceFile);
    for (const program of programs) {
      const [first, again]: [SyncRunResult[], SyncRunResult[]] = [[], []];
      for (let round = 0; round < runCount; round += 1) {
        const runs = await this.#runTwice(label, spec, program, source, quotas);
        first.push(runs[0]);
        again.push(runs[1]);
      }
      cold.push({ name: program.name, runs: first });
      warm.push({ name: program.name, runs: again });
    }
    const size = `${spec.imageCount} images, ${tagCount} tags, ${spec.repositoryCount} repositories, ${formatMegabytes(blobBytes)}`;
    const all = [...notes, `source: ${source.name}; ${runCount} runs of each`];
    yield syncSection(`A sync ${label}: ${size}`, cold, all);
    yield syncSection(`The same again, nothing has changed, ${label}`, warm, all);
  }

  /** longshore alone. */
  async grow(imageCounts: readonly number[], longshore: SyncProgram): Promise<Section> {
    const sizes = [];
    let sourceName = '';
    for (const imageCount of imageCounts) {
      const repositoryCount = Math.max(1, Math.round(imageCount / IMAGES_PER_REPOSITORY));
      const spec = { imageCount, repositoryCount, layerSizeMaxBytes: 64 * 1024 };
      await using source = await startSource(makeCorpus(spec), spec, this.#sourceFile);
      sourceName = source.name;
      const label = `${imageCount} images`;
      const [first] = await this.#runTwice(label, spec, longshore, source, false);
      sizes.push({ imageCount, run: first });
    }
    return growthSection('Time of an image as there are more of them', sizes, [
      ...NOTES,
      `source: ${sourceName}; ${IMAGES_PER_REPOSITORY} images a repository, layers up to 64 KiB, a run of each`,
    ]);
  }

  async #runTwice(
    label: string,
    spec: CorpusSpec,
    program: SyncProgram,
    source: SyncSource,
    quotas: boolean,
  ): Promise<[SyncRunResult, SyncRunResult]> {
    const folder = mkdtempSync(join(tmpdir(), 'longshore-bench-'));
    const remove = cleanUpAtExit(() => rmSync(folder, { recursive: true, force: true }));
    try {
      await using target = await SyncTarget.start(this.#targetFile, {
        quotas,
        ...(quotas && { roundTripMs: LIMITED_ROUND_TRIP_MS }),
      });
      const place = { corpus: makeCorpus(spec), source, target, quotas, folder };
      const measure = async (name: string): Promise<SyncRunResult> => {
        if (this.#context.patient) await waitForQuiet();
        const result = await runSyncProgram(program, place);
        this.#context.progress(
          `${label}: ${program.name}, ${name}, ${Math.round(result.wallMs)} ms`,
        );
        return result;
      };
      return [await measure('first'), await measure('again')];
    } finally {
      remove();
    }
  }
}

async function* run(context: ScenarioContext): AsyncGenerator<Section> {
  const sizes = context.full ? FULL : QUICK;
  yield* measureSync({ ...sizes, runCount: context.runs ?? sizes.runCount }, context);
}

export const syncScenario: Scenario = {
  name: 'sync',
  summary:
    'many images from a registry into ECR: first, again, under quotas, beside other programs',
  byDefault: false,
  run,
};
