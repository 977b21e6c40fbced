import type { Digest } from '../../src/digest.ts';
import type { PlannedSyncTag } from '../../src/sync/sync-plan.ts';

export const digestOf = (index: number): Digest => `sha256:${String(index).padStart(64, '0')}`;

/** A tag that is new in its target, but for what `fields` says. */
export function plannedTag(tag: string, fields: Partial<PlannedSyncTag> = {}): PlannedSyncTag {
  return {
    mapping: 0,
    source: 'registry.example/app',
    tag,
    target: 'one',
    repository: 'app',
    action: 'copy',
    reason: 'new',
    detail: undefined,
    sourceDigest: digestOf(1),
    previousDigest: undefined,
    code: undefined,
    ...fields,
  };
}
