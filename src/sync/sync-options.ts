/** How a sync runs, beside what it is told to copy. */

import { optionInvalid } from '../errors.ts';
import type { RegistryCredentials } from '../registry/client-options.ts';
import type { UploaderOptions } from '../uploader/uploader-options.ts';
import type { SyncReport } from './sync-report.ts';

/** Options of a sync. Every field is optional. */
export interface SyncOptions {
  /** Aborts it: what runs is broken off, and the sync rejects with `signal.reason`. */
  readonly signal?: AbortSignal;
  /**
   * Once it aborts, no image is begun; those that are being copied are finished. The sync then ends with
   * its report, `interrupted` if something was left undone.
   */
  readonly drainSignal?: AbortSignal;
  /** Takes only the tags that this report calls failed or not started. */
  readonly onlyFailed?: SyncReport;
  /** Images copied at once, 1..256; those that wait for another image's layers do not count. Default 32. */
  readonly imagesInFlight?: number;
  /**
   * A folder for what a later run can spare itself to find out: which digest an image has in the target
   * when only some of its platforms are taken. Default: none.
   */
  readonly cacheDirectory?: string;
  /**
   * Settings of the engine, for all targets together: `bytesInMemoryMax`, `workersMax`, `resumeDirectory`
   * and so on; what names one registry is the targets' own. Default: the uploader's defaults, but
   * `layersInFlight` 64 for each target and `partsInFlightTotal` 256.
   */
  readonly uploader?: Omit<UploaderOptions, TargetOption>;
  /**
   * Finds the login of a source registry, given as references have it (`docker.io`). Where it finds
   * none, and by default: the configuration's, then AWS's for ECR, then Docker's.
   */
  readonly credentials?: (host: string) => Promise<RegistryCredentials | undefined>;
  /** Where passwords (`passwordEnv`) are looked up. Default: the process's. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/** What is said of each target, and not of the engine. */
type TargetOption =
  | 'region'
  | 'endpoint'
  | 'registryId'
  | 'client'
  | 'createRepository'
  | 'callsPerSecondMax';

const TARGET_OPTIONS: readonly string[] = [
  'region',
  'endpoint',
  'registryId',
  'client',
  'createRepository',
  'callsPerSecondMax',
] satisfies TargetOption[];

const OPTIONS: readonly string[] = [
  'signal',
  'drainSignal',
  'onlyFailed',
  'imagesInFlight',
  'cacheDirectory',
  'uploader',
  'credentials',
  'environment',
] satisfies (keyof SyncOptions)[];

const IMAGES_IN_FLIGHT = { max: 256, byDefault: 32 };

/** @throws LongshoreError E_OPTION_INVALID */
export function imagesInFlightOf(options: SyncOptions): number {
  for (const name of Object.keys(options)) {
    if (!OPTIONS.includes(name)) throw optionInvalid(name, `one of ${OPTIONS.join(', ')}`, name);
  }
  for (const name of Object.keys(options.uploader ?? {})) {
    if (TARGET_OPTIONS.includes(name)) {
      throw optionInvalid(`uploader.${name}`, 'it in the targets of the configuration', name);
    }
  }
  const { imagesInFlight = IMAGES_IN_FLIGHT.byDefault } = options;
  const isSound = Number.isSafeInteger(imagesInFlight) && imagesInFlight >= 1;
  if (isSound && imagesInFlight <= IMAGES_IN_FLIGHT.max) return imagesInFlight;
  const expected = `an integer from 1 to ${IMAGES_IN_FLIGHT.max}`;
  throw optionInvalid('imagesInFlight', expected, String(imagesInFlight));
}
