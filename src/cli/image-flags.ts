/** The flags that say which image is meant, and what is made of it on the way. */

import type { Compression, Digest } from '../index.ts';
import type { BlobPath } from './option-values.ts';
import { UsageError } from './usage-error.ts';

/** As commander delivers them. */
export interface ImageFlags {
  readonly reference?: string;
  readonly imageDigest?: Digest;
  readonly platform?: readonly string[];
  readonly compression?: 'gzip' | 'zstd';
  readonly compressionLevel?: number;
  readonly manifest?: string;
  readonly blob?: readonly BlobPath[];
  readonly blobDirectory?: string;
  readonly sourceUsername?: string;
  readonly sourcePasswordStdin?: boolean;
  readonly sourcePlainHttp?: boolean;
  readonly sourceCaFile?: string;
}

const LEVEL_MAX = { gzip: 9, zstd: 19 } as const;

/** What the flags say beside the source itself; the same for a push, a plan and a verification. */
export function imageSettingsOf(flags: ImageFlags): {
  readonly platforms?: readonly string[];
  readonly compression?: Compression;
} {
  const { platform, compression: kind = 'gzip', compressionLevel: level } = flags;
  if (level !== undefined && level > LEVEL_MAX[kind]) {
    throw new UsageError(`--compression-level of ${kind} is 1 to ${LEVEL_MAX[kind]}, not ${level}`);
  }
  const isCompressionGiven = flags.compression !== undefined || level !== undefined;
  return {
    ...(platform !== undefined && { platforms: platform }),
    ...(isCompressionGiven && {
      compression: { kind, ...(level !== undefined && { level }) },
    }),
  };
}
