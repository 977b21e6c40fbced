/** What a push would do, and why: the answer to `--dry-run`, and the first half of every push. */

import type { Digest } from '../digest.ts';
import type { Platform } from './descriptor.ts';

/** What happens with one layer or config. */
export interface PlannedBlob {
  readonly digest: Digest;
  readonly sizeBytes: number;
  readonly mediaType: string;
  readonly kind: 'layer' | 'config';
  /** `upload` is what travels. */
  readonly action: 'upload' | 'skip';
  readonly reason:
    /** ECR does not have it. */
    | 'missing'
    /** ECR has it. */
    | 'present'
    /** All manifests that refer to it are in the repository, and so is it. */
    | 'image-present'
    /** Its vendor hands it out, from the URLs in its descriptor. */
    | 'foreign';
}

/** What happens with one manifest; in the order in which they are put. */
export interface PlannedManifest {
  readonly digest: Digest;
  readonly sizeBytes: number;
  readonly mediaType: string;
  readonly platform: Platform | undefined;
  readonly artifactType: string | undefined;
  /** `referrer` comes because of `referrers: true`. */
  readonly role: 'root' | 'child' | 'referrer';
  readonly action: 'put' | 'skip';
}

/** What happens with one tag. */
export interface PlannedTag {
  readonly tag: string;
  /** `moved`: it points to `previousDigest` now. */
  readonly action: 'new' | 'moved' | 'unchanged';
  readonly previousDigest: Digest | undefined;
}

/** All that a push would do. Sizes are bytes of content; on the wire base64 adds a third. */
export interface ImagePlan {
  readonly repository: string;
  /** The source's label. */
  readonly source: string;
  /** What the tags will point to. */
  readonly digest: Digest;
  readonly mediaType: string;
  readonly repositoryExists: boolean;
  readonly tags: readonly PlannedTag[];
  readonly manifests: readonly PlannedManifest[];
  /** Each blob once, the largest first. */
  readonly blobs: readonly PlannedBlob[];
  /** Of blobs to upload. */
  readonly uploadBytes: number;
  /** Of blobs that need not travel. */
  readonly presentBytes: number;
  /** Calls that carrying the plan out takes, by operation, if none has to be repeated. */
  readonly calls: Readonly<Record<string, number>>;
}
