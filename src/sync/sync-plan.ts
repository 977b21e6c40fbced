/** What a sync would do, tag by tag, and why. */

import type { Digest } from '../digest.ts';
import type { ErrorCode } from '../errors.ts';
import type { SyncConfig } from './sync-config.ts';

/** Names one tag on its way from a source into one target. */
export interface SyncEntryName {
  /** Position in `mappings`, from 0. */
  readonly mapping: number;
  /** Source repository: `docker.io/library/nginx`, `oci:./images`. */
  readonly source: string;
  /** `*` where the source's tags could not be listed. */
  readonly tag: string;
  /** Name in `targets`; `undefined` for what concerns none: tags that a filter keeps away. */
  readonly target: string | undefined;
  /** In the target. */
  readonly repository: string | undefined;
}

/** Why a tag is copied or not. */
export type SyncReason =
  /** The target does not have the tag: copied. */
  | 'new'
  /** The tag is another image in the target: copied. */
  | 'moved'
  /** The target has the same: nothing to do. */
  | 'unchanged'
  /** `immutableTags` says that it never moves, and it is there: not looked at. */
  | 'kept'
  /** A filter keeps it away; `detail` names the rule. */
  | 'filtered'
  /** The tag would have to move, and the target's repository does not let it. */
  | 'immutable-conflict'
  /** The source, or what the target has, could not be read. */
  | 'unreadable';

/** What happens with one tag. */
export interface PlannedSyncTag extends SyncEntryName {
  readonly action: 'copy' | 'skip' | 'fail';
  readonly reason: SyncReason;
  /** The rule, or what went wrong, in words. */
  readonly detail: string | undefined;
  /** Of the image at the source, before platforms are chosen. */
  readonly sourceDigest: Digest | undefined;
  /** What the target's tag points to now. */
  readonly previousDigest: Digest | undefined;
  /** With `fail`. */
  readonly code: ErrorCode | 'E_UNEXPECTED' | undefined;
}

/** What one target takes. */
export interface PlannedSyncTarget {
  readonly target: string;
  /** Blobs that are sent, and their bytes (base64 adds a third on the wire). */
  readonly uploadBlobCount: number;
  readonly uploadBytes: number;
  /** Blobs that another repository of the target has, or will have by then. */
  readonly mountBlobCount: number;
  readonly mountBytes: number;
  /** By operation, if none has to be repeated. */
  readonly calls: Readonly<Record<string, number>>;
  /** How long these calls take at the rates that are kept to, were everything else free; ms. */
  readonly quotaMs: number;
}

/** The answer to `--dry-run`; `runSync` carries it out. */
export interface SyncPlan {
  /** What it was made of. */
  readonly config: SyncConfig;
  readonly tags: readonly PlannedSyncTag[];
  readonly targets: readonly PlannedSyncTarget[];
}
