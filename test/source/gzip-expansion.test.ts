import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LongshoreError } from '../../src/errors.ts';
import { plausiblyExpanded } from '../../src/source/gzip-expansion.ts';

const BOUNDS = { freeBytes: 1000, ratioMax: 10 };

/** How many bytes get through of pieces, each of which came of one byte; or the error's code. */
async function passing(sizes: readonly number[]): Promise<number | string> {
  let takenBytes = 0;
  async function* pieces(): AsyncGenerator<Uint8Array> {
    for (const size of sizes) {
      takenBytes += 1;
      yield new Uint8Array(size);
    }
  }
  let passed = 0;
  try {
    for await (const piece of plausiblyExpanded(pieces(), () => takenBytes, 'archive', BOUNDS)) {
      passed += piece.length;
    }
  } catch (error) {
    return LongshoreError.is(error) ? error.code : String(error);
  }
  return passed;
}

test.each<[string, number[], number | string]>([
  ['little, from whatever', [1000], 1000],
  ['as much as gzip gives', Array.from({ length: 500 }, () => 10), 5000],
  ['more than is free out of next to nothing', [1001], 'E_IMAGE_INVALID'],
  ['too much for its size', Array.from({ length: 500 }, () => 11), 'E_IMAGE_INVALID'],
])('%s', async (_what, sizes, passed) => {
  expect(await passing(sizes)).toBe(passed);
});

test('never more than one piece beyond both bounds gets through', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(300), { maxLength: 50 }), async (sizes) => {
      const total = sizes.reduce((sum, size) => sum + size, 0);
      let sum = 0;
      const isBomb = sizes.some((size, index) => {
        sum += size;
        return sum > BOUNDS.freeBytes && sum > (index + 1) * BOUNDS.ratioMax;
      });
      expect(await passing(sizes)).toBe(isBomb ? 'E_IMAGE_INVALID' : total);
    }),
  );
});
