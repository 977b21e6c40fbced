/** The flags of a repository that a push creates. */

import type { RepositorySettings } from '../index.ts';
import { UsageError } from './usage-error.ts';

/** As commander delivers them. */
export interface RepositoryFlags {
  readonly createRepository?: boolean;
  readonly immutableTags?: boolean;
  readonly scanOnPush?: boolean;
  readonly encryption?: 'aes256' | 'kms' | 'kms-dsse';
  readonly kmsKey?: string;
  readonly repositoryTag?: readonly { readonly key: string; readonly value: string }[];
}

const ENCRYPTION = { aes256: 'AES256', kms: 'KMS', 'kms-dsse': 'KMS_DSSE' } as const;

/**
 * `undefined` where none is to be created, `true` for ECR's defaults.
 * @throws UsageError
 */
export function repositorySettingsOf(
  flags: RepositoryFlags,
): true | RepositorySettings | undefined {
  const { immutableTags, scanOnPush, kmsKey, repositoryTag } = flags;
  const encryption = flags.encryption ?? (kmsKey === undefined ? undefined : 'kms');
  if (kmsKey !== undefined && encryption === 'aes256') {
    throw new UsageError('--kms-key belongs to --encryption kms or kms-dsse');
  }
  const settings: RepositorySettings = {
    ...(immutableTags === true && { imageTagMutability: 'IMMUTABLE' }),
    ...(scanOnPush === true && { imageScanningConfiguration: { scanOnPush } }),
    ...(encryption !== undefined && {
      encryptionConfiguration: {
        encryptionType: ENCRYPTION[encryption],
        ...(kmsKey !== undefined && { kmsKey }),
      },
    }),
    ...(repositoryTag !== undefined && {
      tags: repositoryTag.map(({ key, value }) => ({ Key: key, Value: value })),
    }),
  };
  const isEmpty = Object.keys(settings).length === 0;
  if (flags.createRepository !== true) {
    if (isEmpty) return undefined;
    throw new UsageError('settings of a new repository need --create-repository');
  }
  return isEmpty ? true : settings;
}
