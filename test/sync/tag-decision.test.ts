import { describe, expect, test } from 'vitest';
import type { Digest } from '../../src/digest.ts';
import { LongshoreError } from '../../src/errors.ts';
import {
  conflictingTag,
  decideTag,
  failedTag,
  filteredTag,
  type TagFacts,
} from '../../src/sync/tag-decision.ts';

const digestOf = (index: number): Digest => `sha256:${String(index).padStart(64, '0')}`;
const [now, before, chosen] = [digestOf(1), digestOf(2), digestOf(3)];
const name = { mapping: 0, source: 'a.example/app', tag: 'v1', target: 'one', repository: 'app' };
const failure = new LongshoreError('E_SOURCE_DENIED', 'no entry', {
  source: 'a',
  registryHost: 'b',
});

const plain: TagFacts = {
  sourceDigest: now,
  existing: undefined,
  expected: now,
  referrers: false,
  isKept: false,
};

interface Row {
  readonly title: string;
  readonly facts: Partial<TagFacts>;
  readonly decision: string;
}

const rows: readonly Row[] = [
  { title: 'the target has nothing', facts: {}, decision: 'copy new' },
  { title: 'the target has the same', facts: { existing: now }, decision: 'skip unchanged' },
  { title: 'the target has another', facts: { existing: before }, decision: 'copy moved' },
  {
    title: 'the same is there, and referrers are wanted',
    facts: { existing: now, referrers: true },
    decision: 'copy unchanged',
  },
  {
    title: 'the target has the chosen platforms',
    facts: { existing: chosen, expected: chosen },
    decision: 'skip unchanged',
  },
  {
    title: 'the target has all platforms, and some are wanted',
    facts: { existing: now, expected: chosen },
    decision: 'copy moved',
  },
  {
    title: 'only the manifests can tell',
    facts: { existing: chosen, expected: undefined },
    decision: 'copy moved',
  },
  {
    title: 'the source has no such tag',
    facts: { sourceDigest: undefined, expected: undefined },
    decision: 'fail unreadable E_IMAGE_NOT_FOUND',
  },
  {
    title: 'the source has no such tag any more',
    facts: { sourceDigest: undefined, expected: undefined, existing: before },
    decision: 'fail unreadable E_IMAGE_NOT_FOUND',
  },
  {
    title: 'the source cannot be asked',
    facts: { sourceDigest: undefined, expected: undefined, sourceError: failure },
    decision: 'fail unreadable E_SOURCE_DENIED',
  },
  {
    title: 'the target cannot be asked',
    facts: { targetError: failure },
    decision: 'fail unreadable E_SOURCE_DENIED',
  },
  {
    title: 'something that is no error of ours was thrown',
    facts: { targetError: 'what?' },
    decision: 'fail unreadable E_UNEXPECTED',
  },
  {
    title: 'the tag never moves, and the target has it',
    facts: { isKept: true, existing: before, sourceDigest: undefined, expected: undefined },
    decision: 'skip kept',
  },
  {
    title: 'the tag never moves, and the source cannot be asked, which nobody needs',
    facts: { isKept: true, existing: before, sourceDigest: undefined, sourceError: failure },
    decision: 'skip kept',
  },
  {
    title: 'the tag never moves, and the target lacks it',
    facts: { isKept: true },
    decision: 'copy new',
  },
  {
    title: 'the tag never moves, and the target cannot be asked',
    facts: { isKept: true, targetError: failure },
    decision: 'fail unreadable E_SOURCE_DENIED',
  },
];

describe('what is done with a tag', () => {
  test.each(rows)('$decision: $title', ({ facts, decision }) => {
    const all = { ...plain, ...facts };
    const { action, reason, code, ...rest } = decideTag(name, all);
    expect([action, reason, ...(code === undefined ? [] : [code])].join(' ')).toBe(decision);
    expect(rest).toMatchObject({
      ...name,
      sourceDigest: all.sourceDigest,
      previousDigest: all.existing,
    });
    expect(rest.detail !== undefined).toBe(action === 'fail');
  });

  test('names both images where the target does not let a tag be moved', () => {
    const moved = decideTag(name, { ...plain, existing: before });
    const conflict = conflictingTag(moved);
    expect(conflict).toMatchObject({
      action: 'fail',
      reason: 'immutable-conflict',
      code: 'E_TAG_IMMUTABLE',
      sourceDigest: now,
      previousDigest: before,
    });
    expect(conflict.detail).toContain(now);
    expect(conflict.detail).toContain(before);
  });

  test('names the rule that keeps it away, and no target', () => {
    const { mapping, source, tag } = name;
    expect(filteredTag({ mapping, source, tag }, 'exclude `v*`')).toEqual({
      mapping,
      source,
      tag,
      target: undefined,
      repository: undefined,
      action: 'skip',
      reason: 'filtered',
      detail: 'exclude `v*`',
      sourceDigest: undefined,
      previousDigest: undefined,
      code: undefined,
    });
  });

  test('is told by a failure that is found later too', () => {
    const copied = decideTag(name, plain);
    expect(failedTag(copied, failure)).toEqual({
      ...copied,
      action: 'fail',
      reason: 'unreadable',
      detail: failure.message,
      code: 'E_SOURCE_DENIED',
    });
  });
});
