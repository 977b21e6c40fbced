import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { planParts } from '../../src/layer/part-plan.ts';
import {
  LAYER_SIZE_MAX_BYTES,
  MIB,
  PART_SIZE_MAX_BYTES,
  PART_SIZE_MIN_BYTES,
  PARTS_PER_LAYER_MAX,
} from '../../src/limits.ts';

const size = fc.oneof(
  fc.integer({ min: 1, max: 100 * MIB }),
  fc.integer({ min: 1, max: LAYER_SIZE_MAX_BYTES }),
);
const preferred = fc.integer({ min: 1, max: 40 * MIB });

function rangesOf(sizeBytes: number, preferredBytes: number) {
  const plan = planParts(sizeBytes, preferredBytes, 'layer');
  const ranges = [];
  let firstByte = 0;
  for (let index = 0; ; index += 1) {
    const range = plan.partAt(index, firstByte);
    if (range === undefined) return { plan, ranges };
    ranges.push(range);
    firstByte = range.endByte;
  }
}

describe('part plan', () => {
  test('covers every byte once, in parts that ECR takes', () => {
    fc.assert(
      fc.property(size, preferred, (sizeBytes, preferredBytes) => {
        const { plan, ranges } = rangesOf(sizeBytes, preferredBytes);
        expect(ranges.length).toBe(plan.partCount);
        expect(ranges.length).toBeLessThanOrEqual(PARTS_PER_LAYER_MAX);
        let next = 0;
        for (const [index, { firstByte, endByte }] of ranges.entries()) {
          const lengthBytes = endByte - firstByte;
          const last = index === ranges.length - 1;
          if (firstByte !== next) throw new Error('a gap');
          if (lengthBytes > PART_SIZE_MAX_BYTES) throw new Error('too long');
          if (!last && lengthBytes < PART_SIZE_MIN_BYTES) throw new Error('too short');
          if (lengthBytes <= 0) throw new Error('empty');
          next = endByte;
        }
        expect(next).toBe(sizeBytes);
      }),
    );
  });

  test('uses the size asked for where the count allows it', () => {
    expect(planParts(100 * MIB, 7 * MIB, 'layer').partSizeBytes).toBe(7 * MIB);
    expect(planParts(42_000 * MIB, 10 * MIB, 'layer').partSizeBytes).toBe(10 * MIB);
    expect(planParts(31_500 * MIB, 7.5 * MIB, 'layer').partSizeBytes).toBe(7.5 * MIB);
  });

  test('raises the part size for a layer that would need more than 4,200 parts', () => {
    const plan = planParts(42_000 * MIB + 1, 10 * MIB, 'layer');
    expect(plan.partSizeBytes).toBe(11 * MIB);
    expect(planParts(LAYER_SIZE_MAX_BYTES, 10 * MIB, 'layer').partSizeBytes).toBe(13 * MIB);
  });

  test('refuses a layer above 52,000 MiB', () => {
    expect(() => planParts(LAYER_SIZE_MAX_BYTES + 1, 10 * MIB, 'layer')).toThrow(
      expect.objectContaining({ code: 'E_LAYER_TOO_LARGE' }),
    );
  });

  test('says of a layer that is too large what it is, and what would do', () => {
    const plan = planParts(undefined, 10 * MIB, 'the stream');
    for (const refused of [
      () => planParts(LAYER_SIZE_MAX_BYTES + 1, 13 * MIB, 'the stream'),
      () => plan.partAt(4_000, LAYER_SIZE_MAX_BYTES),
    ]) {
      expect(refused).toThrow(
        expect.objectContaining({
          message: expect.stringMatching(
            /^the stream has \d+ bytes or more; ECR takes layers of at most \d+ bytes in at most 4200 parts; split the content over several layers/,
          ),
          details: expect.objectContaining({
            sizeBytes: LAYER_SIZE_MAX_BYTES + 1,
            limitBytes: LAYER_SIZE_MAX_BYTES,
            partCountMax: PARTS_PER_LAYER_MAX,
          }),
        }),
      );
    }
  });

  test('cuts a stream of unknown length no further than 4,200 parts', () => {
    const plan = planParts(undefined, 10 * MIB, 'stream');
    const last = PARTS_PER_LAYER_MAX - 1;
    expect(plan.partAt(last, 1)).toMatchObject({ firstByte: 1 });
    expect(() => plan.partAt(last + 1, 1)).toThrow(
      expect.objectContaining({ code: 'E_LAYER_TOO_LARGE' }),
    );
  });

  test('goes on in preferred parts as long as the largest could still carry the rest', () => {
    const plan = planParts(undefined, 10 * MIB, 'stream');
    // A part now, and 100 largest ones behind it.
    const index = PARTS_PER_LAYER_MAX - 1 - 100;
    const lengthAt = (firstByte: number): number => {
      const range = plan.partAt(index, firstByte);
      return range === undefined ? 0 : range.endByte - range.firstByte;
    };
    const firstByte = LAYER_SIZE_MAX_BYTES - 10 * MIB - 100 * PART_SIZE_MAX_BYTES;
    expect(lengthAt(firstByte)).toBe(10 * MIB);
    expect(lengthAt(firstByte - 1)).toBe(PART_SIZE_MAX_BYTES);
  });

  test('lets a stream of unknown length grow to the largest layer', () => {
    const plan = planParts(undefined, 10 * MIB, 'stream');
    let firstByte = 0;
    let index = 0;
    const sizes = new Set<number>();
    while (firstByte < LAYER_SIZE_MAX_BYTES) {
      const range = plan.partAt(index, firstByte);
      if (range === undefined) throw new Error('no range');
      sizes.add(range.endByte - range.firstByte);
      firstByte = range.endByte;
      index += 1;
    }
    expect(firstByte).toBe(LAYER_SIZE_MAX_BYTES);
    expect(index).toBeLessThanOrEqual(PARTS_PER_LAYER_MAX);
    expect(Math.max(...sizes)).toBe(20 * MIB);
    expect(plan.partAt(0, 0)).toEqual({ firstByte: 0, endByte: 10 * MIB });
    expect(() => plan.partAt(index, firstByte)).toThrow(
      expect.objectContaining({ code: 'E_LAYER_TOO_LARGE' }),
    );
  });
});
