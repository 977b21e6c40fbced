/** One sync by one program: what it cost, and what both registries saw of it. */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Corpus } from '../../test/sync/corpus.ts';
import { Child } from '../harness/child-process.ts';
import { MachineLoad } from '../harness/machine-load.ts';
import { measureProcess } from '../peers/peer-process.ts';
import type {
  SourceAnswer,
  SyncTargetAddress,
  SyncTargetJob,
  SyncTargetUsage,
} from './sync-protocol.ts';
import { lastOf, type SyncProgram } from './sync-program.ts';
import type { SyncSource } from './sync-source.ts';

export interface SyncRunResult {
  readonly program: string;
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly rssPeakBytes: number;
  readonly exitCode: number | null;
  readonly sourceRequestCount: number;
  readonly sourceBytes: number;
  /** Downloads of blobs, and those of a blob that was downloaded before. */
  readonly blobReadCount: number;
  readonly duplicateReadCount: number;
  readonly target: Omit<SyncTargetUsage, 'tags'>;
  readonly tagCount: number;
  /** Tags that point to what they point to at the source. */
  readonly rightTagCount: number;
  readonly foreignShare: number;
  /** The end of what it printed. */
  readonly output: string;
  /** Of longshore: its own report, without the tags. */
  readonly report?: unknown;
}

export class SyncTarget implements AsyncDisposable {
  readonly address: SyncTargetAddress;
  readonly #child: Child;

  private constructor(child: Child, address: SyncTargetAddress) {
    this.#child = child;
    this.address = address;
  }

  static async start(file: string, job: SyncTargetJob): Promise<SyncTarget> {
    const child = new Child('the target', file);
    return new SyncTarget(child, (await child.ask(job)) as SyncTargetAddress);
  }

  async usage(repositories: readonly string[]): Promise<SyncTargetUsage> {
    return (await this.#child.ask(repositories)) as SyncTargetUsage;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child[Symbol.asyncDispose]();
  }
}

export interface SyncPlace {
  readonly corpus: Corpus;
  readonly source: SyncSource;
  readonly target: SyncTarget;
  readonly quotas: boolean;
  /** An empty folder. */
  readonly folder: string;
}

export async function runSyncProgram(
  program: SyncProgram,
  { corpus, source, target, quotas, folder }: SyncPlace,
): Promise<SyncRunResult> {
  const repositories = corpus.repositories.map(({ name }) => name);
  mkdirSync(folder, { recursive: true });
  const command = program.command({
    source: source.host,
    target: target.address,
    repositories,
    quotas,
    folder,
  });
  for (const [name, content] of Object.entries(command.files)) {
    writeFileSync(join(folder, name), content);
  }
  await source.answers();
  const before = await target.usage([]);
  const ownBefore = process.cpuUsage();
  const load = new MachineLoad();
  const cost = await measureProcess(command.file, command.parameters, {
    // Nothing of this user's settings, logins and proxies.
    PATH: process.env['PATH'],
    HOME: folder,
    TMPDIR: folder,
    XDG_RUNTIME_DIR: folder,
    ...command.environment,
  });
  const own = process.cpuUsage(ownBefore);
  const { tags, ...seen } = await target.usage(repositories.map(lastOf));
  const found = new Set(tags);
  const expected = expectedTags(corpus);
  const cpuMs = cost.cpuUserMs + cost.cpuSystemMs;
  const knownMs = cpuMs + seen.cpuMs - before.cpuMs + (own.user + own.system) / 1000;
  const report = readReport(join(folder, 'report.json'));
  return {
    program: program.name,
    wallMs: cost.wallMs,
    cpuMs,
    rssPeakBytes: command.isOneProcess ? cost.rssPeakBytes : Number.NaN,
    exitCode: cost.exitCode,
    ...sourceFigures(await source.answers()),
    target: { ...seen, cpuMs: seen.cpuMs - before.cpuMs },
    tagCount: expected.length,
    rightTagCount: expected.filter((tag) => found.has(tag)).length,
    foreignShare: load.foreignShare(knownMs),
    output: cost.output.trim(),
    ...(report !== undefined && { report }),
  };
}

function expectedTags({ repositories }: Corpus): string[] {
  return repositories.flatMap((repository) =>
    [...repository.tags].map(([tag, digest]) => `${lastOf(repository.name)}:${tag} ${digest}`),
  );
}

function sourceFigures(answers: readonly SourceAnswer[]) {
  const seen = new Set<string>();
  let [blobReadCount, duplicateReadCount, sourceBytes] = [0, 0, 0];
  for (const { method, path, statusCode, sentBytes } of answers) {
    sourceBytes += method === 'HEAD' ? 0 : sentBytes;
    const [, digest] = /\/blobs\/([^/?]+)$/.exec(path) ?? [];
    if (digest === undefined || method !== 'GET' || statusCode !== 200) continue;
    blobReadCount += 1;
    if (seen.has(digest)) duplicateReadCount += 1;
    seen.add(digest);
  }
  return { sourceRequestCount: answers.length, sourceBytes, blobReadCount, duplicateReadCount };
}

function readReport(file: string): unknown {
  try {
    const { tags: _, ...report } = JSON.parse(readFileSync(file, 'utf8')) as { tags: unknown };
    return report;
  } catch {
    return undefined;
  }
}
