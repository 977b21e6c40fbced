/** What is to be done with one tag: the source on one side, the target on the other. Pure. */

import type { Digest } from '../digest.ts';
import type { PlannedSyncTag, SyncEntryName } from './sync-plan.ts';
import { failureFactsOf } from './tag-failure.ts';

/** What there is to decide by. */
export interface TagFacts {
  /** At the source; what went wrong where it could not be found out. */
  readonly sourceDigest: Digest | undefined;
  readonly sourceError?: unknown;
  /** What the target's tag points to. */
  readonly existing: Digest | undefined;
  readonly targetError?: unknown;
  /** The digest that the image has in the target; `undefined` where only its manifests can tell. */
  readonly expected: Digest | undefined;
  /** Whether what refers to the image is wanted too, which the digest tells nothing of. */
  readonly referrers: boolean;
  /** Whether the tag never moves at the source. */
  readonly isKept: boolean;
}

export function decideTag(name: SyncEntryName, facts: TagFacts): PlannedSyncTag {
  const { sourceDigest, sourceError, existing, targetError, expected } = facts;
  const base = { ...name, sourceDigest, previousDigest: existing, detail: undefined };
  const known = { ...base, code: undefined };
  if (targetError !== undefined) return failedTag(base, targetError);
  if (facts.isKept && existing !== undefined) return { ...known, action: 'skip', reason: 'kept' };
  if (sourceError !== undefined) return failedTag(base, sourceError);
  if (sourceDigest === undefined) {
    const detail = `${name.source} has no tag ${name.tag}; check the spelling of the mapping`;
    return { ...base, action: 'fail', reason: 'unreadable', detail, code: 'E_IMAGE_NOT_FOUND' };
  }
  if (existing === undefined) return { ...known, action: 'copy', reason: 'new' };
  if (existing !== expected) return { ...known, action: 'copy', reason: 'moved' };
  // Signatures may have come since.
  const action = facts.referrers ? 'copy' : 'skip';
  return { ...known, action, reason: 'unchanged' };
}

/** A tag that a rule of the mapping keeps away from all targets. */
export function filteredTag(
  name: Pick<SyncEntryName, 'mapping' | 'source' | 'tag'>,
  rule: string,
): PlannedSyncTag {
  return {
    ...name,
    target: undefined,
    repository: undefined,
    action: 'skip',
    reason: 'filtered',
    detail: rule,
    sourceDigest: undefined,
    previousDigest: undefined,
    code: undefined,
  };
}

/** A tag that the target does not let be moved. */
export function conflictingTag(tag: PlannedSyncTag): PlannedSyncTag {
  const detail =
    `${tag.repository}:${tag.tag} is ${tag.previousDigest} and cannot become ${tag.sourceDigest}: the ` +
    'repository is immutable; let it change tags, or list the tag in immutableTags to keep it';
  return { ...tag, action: 'fail', reason: 'immutable-conflict', detail, code: 'E_TAG_IMMUTABLE' };
}

/** Something that names a tag, or all of a source, could not be looked at. */
export function failedTag(
  name: SyncEntryName & Pick<PlannedSyncTag, 'sourceDigest' | 'previousDigest'>,
  error: unknown,
): PlannedSyncTag {
  const { code, message } = failureFactsOf(error);
  return { ...name, action: 'fail', reason: 'unreadable', detail: message, code };
}
