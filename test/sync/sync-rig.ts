/** A registry of a corpus, emulators to fill, and syncs between them. */

import { vi } from 'vitest';
import { type Emulator, type EmulatorOptions, startEmulator } from '../../src/emulator/index.ts';
import {
  runSync,
  type SyncConfig,
  type SyncEvent,
  type SyncMapping,
  type SyncOptions,
  type SyncReport,
  type SyncReportTag,
} from '../../src/sync/index.ts';
import { CallTally } from './call-tally.ts';
import type { Corpus } from './corpus.ts';
import { CorpusRegistry, type CorpusRegistryOptions } from './corpus-registry.ts';
import { allowMounts } from './target-state.ts';

const NO_WAITING = {
  InitiateLayerUpload: 2000,
  CompleteLayerUpload: 2000,
  PutImage: 2000,
} as const;

export interface SyncRigOptions {
  readonly source?: CorpusRegistryOptions;
  readonly emulator?: EmulatorOptions;
  /** Names of the targets. Default: one. */
  readonly targets?: readonly string[];
  /** Rates that syncs keep to. Default: high ones, which no test has to wait for. */
  readonly callsPerSecondMax?: Readonly<Record<string, number>>;
}

export interface RigTarget {
  readonly emulator: Emulator;
  readonly tally: CallTally;
}

export interface SyncRun {
  readonly report: SyncReport;
  readonly events: readonly SyncEvent[];
}

export interface SyncRig extends AsyncDisposable {
  readonly registry: CorpusRegistry;
  /** The only target, or the first. */
  readonly target: RigTarget;
  readonly targets: ReadonlyMap<string, RigTarget>;
  /** All repositories of the registry into all targets, in one mapping. */
  config(mapping?: Partial<SyncMapping>): SyncConfig;
  run(
    config: SyncConfig,
    options?: SyncOptions,
    onEvent?: (event: SyncEvent) => void,
  ): Promise<SyncRun>;
}

export async function startSyncRig(corpus: Corpus, options: SyncRigOptions = {}): Promise<SyncRig> {
  const registry = await CorpusRegistry.start(corpus, options.source);
  const targets = new Map<string, RigTarget>();
  for (const name of options.targets ?? ['target']) {
    targets.set(name, await startTarget(options.emulator));
  }
  const [target] = targets.values();
  if (target === undefined) throw new Error('a rig without targets');
  return {
    registry,
    target,
    targets,
    config: (mapping = {}) =>
      syncConfig(
        registry.host,
        targets,
        { from: `${registry.host}/**`, ...mapping },
        options.callsPerSecondMax,
      ),
    run: collect,
    [Symbol.asyncDispose]: async () => {
      for (const { emulator } of targets.values()) await emulator.stop();
      await registry[Symbol.asyncDispose]();
    },
  };
}

/** An emulator that lets blobs be mounted, and whose credentials AWS's chain finds. */
export async function startTarget(options: EmulatorOptions = {}): Promise<RigTarget> {
  const emulator = await startEmulator(options);
  await allowMounts(emulator);
  const { AWS_ENDPOINT_URL_ECR: _, ...variables } = emulator.environment();
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
  return { emulator, tally: new CallTally(emulator) };
}

export function syncConfig(
  host: string,
  targets: ReadonlyMap<string, Pick<RigTarget, 'emulator'>>,
  mapping: SyncMapping,
  callsPerSecondMax: Readonly<Record<string, number>> = NO_WAITING,
): SyncConfig {
  return {
    registries: { [host]: { plainHttp: true } },
    targets: Object.fromEntries(
      [...targets].map(([name, { emulator }]) => [
        name,
        { endpoint: emulator.endpoint, region: emulator.region, callsPerSecondMax },
      ]),
    ),
    mappings: [{ createRepository: true, ...mapping }],
  };
}

/** Runs a sync to its end. Small retries' delays, one worker: what tests need. */
export async function collect(
  config: SyncConfig,
  options: SyncOptions = {},
  onEvent: (event: SyncEvent) => void = () => undefined,
): Promise<SyncRun> {
  const events: SyncEvent[] = [];
  const uploader = { workersMax: 1, proxy: 'none', retryDelayMs: 1, ...options.uploader } as const;
  const sync = runSync(config, { ...options, uploader });
  for (;;) {
    const step = await sync.next();
    if (step.done === true) return { report: step.value, events };
    events.push(step.value);
    onEvent(step.value);
  }
}

/** Tags by what became of them: `copied new`, `failed unreadable E_TIMEOUT`; for messages of tests. */
export function outcomes({ tags }: SyncReport): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const tag of tags) {
    const name = outcomeOf(tag);
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

function outcomeOf({ status, reason, error }: SyncReportTag): string {
  return [status, reason, ...(error === undefined ? [] : [error.code])].join(' ');
}
