/** The flags of `longshore sync`, as options of the library. */

import { cacheDirectory } from './base-directory.ts';
import type { CliContext } from './context.ts';
import type { ListenAddress } from './listen-address.ts';
import { resumeOptionOf, type ResumeFlags } from './resume-directory.ts';
import type { SyncOptions, SyncReport } from './sync-functions.ts';
import { type OutputFlags, type UploaderFlags, uploaderOptionsOf } from './uploader-flags.ts';
import { UsageError } from './usage-error.ts';

/** As commander delivers them. */
export interface SyncFlags
  extends
    Omit<UploaderFlags, 'region' | 'endpointUrl' | 'registryId' | 'createRepository'>,
    ResumeFlags,
    OutputFlags {
  readonly dryRun?: boolean;
  readonly all?: boolean;
  readonly report?: string;
  readonly onlyFailed?: string;
  readonly import?: 'skopeo' | 'regsync';
  /** Milliseconds. */
  readonly watch?: number;
  readonly listen?: ListenAddress;
  readonly imagesInFlight?: number;
  /** False after `--no-cache`. */
  readonly cache: boolean;
  readonly cacheDirectory?: string;
}

type Switch = 'dryRun' | 'all' | 'report' | 'onlyFailed' | 'import' | 'watch' | 'listen' | 'json';

const NAME: { readonly [Flag in Switch]: string } = {
  dryRun: '--dry-run',
  all: '--all',
  report: '--report',
  onlyFailed: '--only-failed',
  import: '--import',
  watch: '--watch',
  listen: '--listen',
  json: '--json',
};

/** What each of them leaves no sense to. */
const EXCLUDED: { readonly [Flag in Switch]?: readonly Switch[] } = {
  import: ['dryRun', 'all', 'report', 'onlyFailed', 'watch', 'listen', 'json'],
  dryRun: ['report', 'watch', 'listen'],
  // The first run would take some tags and all others every tag.
  watch: ['onlyFailed'],
};
const NEEDED: { readonly [Flag in Switch]?: Switch } = { all: 'dryRun', listen: 'watch' };

/** @throws UsageError */
export function checkSyncFlags(flags: SyncFlags): void {
  const isGiven = (flag: Switch): boolean => flags[flag] !== undefined && flags[flag] !== false;
  for (const flag of Object.keys(NAME) as Switch[]) {
    if (!isGiven(flag)) continue;
    const excluded = EXCLUDED[flag]?.find(isGiven);
    if (excluded !== undefined) {
      throw new UsageError(`${NAME[excluded]} makes no sense with ${NAME[flag]}`);
    }
    const needed = NEEDED[flag];
    if (needed !== undefined && !isGiven(needed)) {
      throw new UsageError(`${NAME[flag]} belongs to ${NAME[needed]}`);
    }
  }
}

/** Leaves out what was not given: defaults belong to the library alone. */
export function syncOptionsOf(
  context: Pick<CliContext, 'env' | 'platform'>,
  flags: SyncFlags,
  onlyFailed?: SyncReport,
): SyncOptions {
  const directory = flags.cache ? (flags.cacheDirectory ?? cacheDirectory(context)) : undefined;
  return {
    environment: context.env,
    uploader: { ...uploaderOptionsOf(flags), ...resumeOptionOf(context, flags) },
    ...(directory !== undefined && { cacheDirectory: directory }),
    ...(flags.imagesInFlight !== undefined && { imagesInFlight: flags.imagesInFlight }),
    ...(onlyFailed !== undefined && { onlyFailed }),
  };
}
