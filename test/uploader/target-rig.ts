/** Emulators, and a group of targets pointed at them. */

import {
  type CreateRepositoryCommandInput,
  CreateRepositoryCommand,
  ECRClient,
  PutAccountSettingCommand,
} from '@aws-sdk/client-ecr';
import { startEmulator } from '../../src/emulator/index.ts';
import type { Emulator, EmulatorOptions } from '../../src/emulator/index.ts';
import type { Digest, ImageReceipt, ImageRequest, UploaderOptions } from '../../src/index.ts';
import type { PushHooks } from '../../src/image/push-hooks.ts';
import type { SyncTarget, TargetCall, TargetPush } from '../../src/sync/sync-target.ts';
import { openTargets, type TargetGroup } from '../../src/uploader/target-group.ts';
import { type MadeImage, memoryImage } from '../image/memory-image.ts';
import { uploaderOptionsFor } from './upload-rig.ts';

export interface TargetRig extends AsyncDisposable {
  readonly emulator: Emulator;
  readonly group: TargetGroup;
  /** The only target. */
  readonly target: SyncTarget;
}

export interface TargetRigOptions {
  readonly emulator?: EmulatorOptions;
  readonly uploader?: UploaderOptions;
  /** Default true. */
  readonly mounts?: boolean;
  readonly repositories?: readonly (string | CreateRepositoryCommandInput)[];
}

export const signal: AbortSignal = new AbortController().signal;

export async function startTargetRig(options: TargetRigOptions = {}): Promise<TargetRig> {
  const emulator = await startEmulator(options.emulator);
  const { repositories = ['team/a', 'team/b'], mounts = true } = options;
  const client = inProcessClient(emulator);
  for (const repository of repositories) {
    const input = typeof repository === 'string' ? { repositoryName: repository } : repository;
    await client.send(new CreateRepositoryCommand(input));
  }
  if (mounts) {
    const setting = { name: 'BLOB_MOUNTING', value: 'ENABLED' } as const;
    await client.send(new PutAccountSettingCommand(setting));
  }
  emulator.journal.clear();
  const group = openTargets({ one: {} }, { ...uploaderOptionsFor(emulator), ...options.uploader });
  return {
    emulator,
    group,
    target: targetOf(group, 'one'),
    [Symbol.asyncDispose]: async () => {
      await group.destroy();
      await emulator.stop();
    },
  };
}

/** That it is a `SyncTarget` is checked by the compiler. */
export function targetOf(group: TargetGroup, name: string): SyncTarget {
  const target = group.targets.get(name);
  if (target === undefined) throw new Error(`no target ${name}`);
  return target;
}

export function inProcessClient(emulator: Emulator): ECRClient {
  const { credentials, region, requestHandler } = emulator;
  return new ECRClient({ region, credentials, requestHandler });
}

/** A push that does what any push does, but for what `request` says. */
export function pushInto(
  target: SyncTarget,
  repository: string,
  image: MadeImage,
  request: Partial<ImageRequest & PushHooks> = {},
  call: Partial<TargetCall> = {},
): Promise<ImageReceipt> {
  const push: TargetPush = {
    repository,
    image: memoryImage(image),
    createRepository: false,
    beforeTransfer: () => Promise.resolve(),
    createOnce: (create) => create(),
    obtainBlob: async (_blob, upload) => {
      await upload();
      return 'uploaded';
    },
    ...(request as Partial<TargetPush>),
  };
  return target.push(push, { signal, drainSignal: signal, onEvent: () => undefined, ...call });
}

/** An `obtainBlob` that mounts, or else uploads. */
export function mountingFrom(
  target: SyncTarget,
  repository: string,
  from: string,
): TargetPush['obtainBlob'] {
  return async ({ digest }, upload, ownSignal) => {
    const way = await target.mount(repository, from, digest, ownSignal);
    if (way === 'mounted') return 'mounted';
    await upload();
    return 'uploaded';
  };
}

export function layerDigests(image: MadeImage): readonly Digest[] {
  return [...image.content.keys()].filter((digest) => digest !== image.descriptor.digest);
}
