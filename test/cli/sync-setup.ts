/** A `longshore sync` with a fake sync that goes as the test says. */

import type {
  SyncConfig,
  SyncEvent,
  SyncFunctions,
  SyncOptions,
  SyncReport,
} from '../../src/cli/sync-functions.ts';
import { type FakeContext, fakeContext } from './fake-context.ts';

/** One run; the number counts from 1. */
export type SyncScript = (
  options: SyncOptions,
  runNumber: number,
) => AsyncGenerator<SyncEvent, SyncReport, void>;

export interface SyncSetup {
  readonly context: FakeContext;
  /** The options of each run and plan. */
  readonly given: SyncOptions[];
  /** The configurations that were read. */
  readonly files: string[];
  readonly runCount: () => number;
}

export const CONFIG: SyncConfig = { targets: { prod: {} }, mappings: [] };

export function setUpSync(
  script: SyncScript,
  more: Partial<SyncFunctions> = {},
  overrides: Partial<FakeContext> = {},
): SyncSetup {
  const given: SyncOptions[] = [];
  const files: string[] = [];
  let runCount = 0;
  const sync: SyncFunctions = {
    readSyncConfig: (path) => {
      files.push(path);
      return Promise.resolve(CONFIG);
    },
    importSkopeo: unwanted,
    importRegsync: unwanted,
    planSync: unwanted,
    runSync: (_config, options?: SyncOptions) => {
      const known = options ?? {};
      given.push(known);
      runCount += 1;
      return script(known, runCount);
    },
    ...more,
  };
  const context = fakeContext({ loadSync: () => Promise.resolve(sync), ...overrides });
  return { context, given, files, runCount: () => runCount };
}

function unwanted(): never {
  throw new Error('not in this test');
}

/** A run that tells these events and ends. */
export function telling(report: SyncReport, ...events: readonly SyncEvent[]): SyncScript {
  // oxlint-disable-next-line require-await -- there is nothing to wait for
  return async function* told() {
    yield* events;
    return report;
  };
}

/** Resolves with the first abort of the signal. */
export function aborted(signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) resolve();
    signal?.addEventListener('abort', () => resolve(), { once: true });
  });
}
