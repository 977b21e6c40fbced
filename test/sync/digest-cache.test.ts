import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Digest } from '../../src/digest.ts';
import { DigestCache } from '../../src/sync/digest-cache.ts';

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'longshore-digests-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function digestOf(name: string | number): Digest {
  return `sha256:${createHash('sha256').update(String(name)).digest('hex')}`;
}

const amd64 = ['linux/amd64'];
const both = ['linux/amd64', 'linux/arm64'];

describe('digests of images of which some platforms are taken', () => {
  test('are remembered by the image and the platforms', async () => {
    const cache = await DigestCache.open();
    cache.set(digestOf('a'), amd64, digestOf(1));
    cache.set(digestOf('a'), both, digestOf(2));
    expect(cache.get(digestOf('a'), amd64)).toBe(digestOf(1));
    expect(cache.get(digestOf('a'), both)).toBe(digestOf(2));
    expect(cache.get(digestOf('b'), both)).toBeUndefined();
    expect(await cache.flush()).toBe(true);
  });

  test('are there for the next run, if there is a folder', async () => {
    const folder = join(newFolder(), 'not', 'there', 'yet');
    const first = await DigestCache.open(folder);
    first.set(digestOf('a'), both, digestOf(2));
    await Promise.all([first.flush(), first.flush()]);
    first.set(digestOf('b'), both, digestOf(3));
    await first.flush();
    expect(readdirSync(folder)).toEqual(['platform-digests.json']);
    const second = await DigestCache.open(folder);
    expect(second.get(digestOf('a'), both)).toBe(digestOf(2));
    expect(second.get(digestOf('b'), both)).toBe(digestOf(3));
  });

  test('are not written where nothing is new', async () => {
    const folder = newFolder();
    const cache = await DigestCache.open(folder);
    await cache.flush();
    expect(readdirSync(folder)).toEqual([]);
    cache.set(digestOf('a'), both, digestOf(2));
    await cache.flush();
    rmSync(join(folder, 'platform-digests.json'));
    cache.set(digestOf('a'), both, digestOf(2));
    await cache.flush();
    expect(readdirSync(folder)).toEqual([]);
  });

  test('beyond a hundred thousand push out those used longest ago', async () => {
    const cache = await DigestCache.open();
    const hexOf = (index: number): Digest => `sha256:${index.toString(16).padStart(64, '0')}`;
    for (let index = 0; index < 100_000; index += 1) cache.set(hexOf(index), amd64, hexOf(index));
    expect(cache.get(hexOf(0), amd64)).toBe(hexOf(0));
    cache.set(hexOf(100_000), amd64, hexOf(1));
    expect(cache.get(hexOf(0), amd64)).toBe(hexOf(0));
    expect(cache.get(hexOf(1), amd64)).toBeUndefined();
    expect(cache.get(hexOf(2), amd64)).toBe(hexOf(2));
  });

  test('that cannot be written fail nobody, and leave nothing', async () => {
    const folder = newFolder();
    const path = join(folder, 'a file');
    writeFileSync(path, '');
    const cache = await DigestCache.open(path);
    cache.set(digestOf('a'), both, digestOf(2));
    expect(await cache.flush()).toBe(false);
    expect(cache.get(digestOf('a'), both)).toBe(digestOf(2));
    rmSync(path);
    expect(await cache.flush()).toBe(true);
    expect((await DigestCache.open(path)).get(digestOf('a'), both)).toBe(digestOf(2));
  });

  test('of two processes are those of the last one that wrote', async () => {
    const folder = newFolder();
    const [one, two] = [await DigestCache.open(folder), await DigestCache.open(folder)];
    one.set(digestOf('a'), both, digestOf(1));
    two.set(digestOf('b'), both, digestOf(2));
    await Promise.all([one.flush(), two.flush()]);
    const next = await DigestCache.open(folder);
    const found = [next.get(digestOf('a'), both), next.get(digestOf('b'), both)];
    expect(found.filter((digest) => digest !== undefined)).toHaveLength(1);
  });

  test('of a damaged file are right or unknown, and the file is made anew', async () => {
    const folder = newFolder();
    const path = join(folder, 'platform-digests.json');
    const sound = await DigestCache.open(folder);
    for (let index = 0; index < 5; index += 1) sound.set(digestOf(index), both, digestOf(-index));
    await sound.flush();
    const bytes = readFileSync(path);
    const damage = fc.oneof(
      fc.record({ at: fc.nat({ max: bytes.length - 1 }), flips: fc.integer({ min: 1, max: 255 }) }),
      fc.record({ cutAt: fc.nat({ max: bytes.length - 1 }) }),
      fc.record({
        instead: fc.oneof(
          fc.uint8Array(),
          fc.json().map((text) => Buffer.from(text)),
        ),
      }),
      fc.record({ doubledAt: fc.nat({ max: bytes.length - 1 }) }),
    );
    await fc.assert(
      fc.asyncProperty(damage, async (how) => {
        const damaged = Buffer.from(bytes);
        if ('at' in how) damaged[how.at] = (damaged[how.at] ?? 0) ^ how.flips;
        writeFileSync(
          path,
          'cutAt' in how
            ? damaged.subarray(0, how.cutAt)
            : 'instead' in how
              ? how.instead
              : 'doubledAt' in how
                ? Buffer.concat([damaged, damaged.subarray(how.doubledAt)])
                : damaged,
        );
        const cache = await DigestCache.open(folder);
        for (let index = 0; index < 5; index += 1) {
          expect([undefined, digestOf(-index)]).toContain(cache.get(digestOf(index), both));
        }
        cache.set(digestOf('new'), amd64, digestOf('new too'));
        expect(await cache.flush()).toBe(true);
        const next = await DigestCache.open(folder);
        expect(next.get(digestOf('new'), amd64)).toBe(digestOf('new too'));
      }),
      { numRuns: 200 },
    );
  });
});
