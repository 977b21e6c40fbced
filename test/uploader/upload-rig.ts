/** An emulator with one repository, and an uploader pointed at it. */

import { CreateRepositoryCommand, ECRClient } from '@aws-sdk/client-ecr';
import { startEmulator } from '../../src/emulator/index.ts';
import type { Emulator, EmulatorOptions, FaultRule } from '../../src/emulator/index.ts';
import { createUploader } from '../../src/index.ts';
import type {
  LayerReceipt,
  LayerSource,
  UploadCall,
  Uploader,
  UploaderOptions,
} from '../../src/index.ts';
import { MIB } from '../../src/limits.ts';

export const REPOSITORY = 'team/app';

export interface RigOptions {
  readonly emulator?: EmulatorOptions;
  readonly uploader?: UploaderOptions;
  /** In force once the repository is there. */
  readonly faults?: readonly FaultRule[];
}

export interface UploadRig extends AsyncDisposable {
  readonly emulator: Emulator;
  readonly uploader: Uploader;
  /** Uploads to {@link REPOSITORY}. */
  upload(source: LayerSource, call?: UploadCall): Promise<LayerReceipt>;
}

/** What points an uploader at `emulator`, and lets it fail fast. */
export function uploaderOptionsFor(emulator: Emulator): UploaderOptions {
  return {
    endpoint: emulator.endpoint,
    region: emulator.region,
    client: { credentials: emulator.credentials },
    workersMax: 1,
    hasher: 'native',
    partSizeBytes: 5 * MIB,
    attemptsMax: 3,
    retryDelayMs: 1,
    retryDelayMsMax: 5,
    proxy: 'none',
  };
}

/** Starts both; disposal ends both. */
export async function startRig(options: RigOptions = {}): Promise<UploadRig> {
  const emulator = await startEmulator(options.emulator);
  await makeRepository(emulator, REPOSITORY);
  emulator.journal.clear();
  emulator.addFaults(options.faults ?? []);
  const uploader = createUploader({ ...uploaderOptionsFor(emulator), ...options.uploader });
  return {
    emulator,
    uploader,
    upload: (source, call) => uploader.uploadLayer({ repository: REPOSITORY, source }, call),
    [Symbol.asyncDispose]: async () => {
      await uploader.destroy();
      await emulator.stop();
    },
  };
}

/** Makes a repository by the emulator's in-process door. */
export async function makeRepository(emulator: Emulator, repositoryName: string): Promise<void> {
  const { credentials, region, requestHandler } = emulator;
  const client = new ECRClient({ region, credentials, requestHandler });
  await client.send(new CreateRepositoryCommand({ repositoryName }));
}
