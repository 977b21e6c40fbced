import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RegistryBlob } from '../../src/registry/registry-client.ts';
import { startRig } from './client-rig.ts';
import { type Download, refuse, startRegistry } from './fake-registry.ts';
import { quiet } from './test-surroundings.ts';

const content = randomBytes(1_000_000);

/** Reads to the end, by pieces of this size. */
async function readAll(blob: RegistryBlob, pieceBytes = 300_000): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for (;;) {
    const target = Buffer.alloc(pieceBytes);
    const count = await blob.read(target, quiet());
    pieces.push(target.subarray(0, count));
    if (count < pieceBytes) return Buffer.concat(pieces);
  }
}

describe('a blob', () => {
  test('is read from front to back, in pieces of any size', async () => {
    await using rig = await startRig();
    const put = rig.registry.putBlob(content);
    for (const pieceBytes of [1_000_000, 2_000_000, 65_536, 999_999]) {
      const blob = await rig.client.openBlob('a', put, quiet());
      expect((await readAll(blob, pieceBytes)).equals(content)).toBe(true);
      expect(await blob.read(new Uint8Array(1), quiet())).toBe(0);
      blob.close();
    }
    expect(rig.registry.requests.map(({ range }) => range)).toEqual(Array(4).fill(undefined));
  });

  test('leaves its connection to the next one', async () => {
    await using rig = await startRig();
    const put = rig.registry.putBlob(content);
    for (let count = 0; count < 5; count += 1) {
      const blob = await rig.client.openBlob('a', put, quiet());
      await readAll(blob);
      blob.close();
    }
    // The next request may be sooner than the end of the last reply.
    expect(rig.registry.connectionsMade()).toBeLessThan(5);
  });

  test('that is open and not read holds nobody up', async () => {
    await using rig = await startRig();
    const large = rig.registry.putBlob(Buffer.alloc(2_000_000, 1));
    const manifest = rig.registry.putImage('a', 'v1', []);
    const open = (): Promise<RegistryBlob> => rig.client.openBlob('a', large, quiet());
    const blobs = await Promise.all(Array.from({ length: 100 }, open));
    const { digest } = await rig.client.getManifest('a', 'v1', quiet());
    expect(digest).toBe(manifest.digest);
    for (const blob of blobs) blob.close();
  });

  test('of no bytes is read', async () => {
    await using rig = await startRig();
    const blob = await rig.client.openBlob('a', rig.registry.putBlob(Buffer.alloc(0)), quiet());
    expect(await blob.read(new Uint8Array(10), quiet())).toBe(0);
  });

  test('that is not there is told so', async () => {
    await using rig = await startRig();
    const { digest } = rig.registry.putBlob(content);
    const other = { digest: `${digest.slice(0, -1)}${digest.endsWith('0') ? 1 : 0}`, sizeBytes: 1 };
    await expect(
      rig.client.openBlob('a', other as Parameters<typeof rig.client.openBlob>[1], quiet()),
    ).rejects.toMatchObject({ code: 'E_BLOB_MISSING', details: { digest: other.digest } });
  });

  test('of another size is refused', async () => {
    await using rig = await startRig();
    const put = rig.registry.putBlob(content);
    rig.registry.downloads.push({ extraBytes: 5 });
    await expect(rig.client.openBlob('a', put, quiet())).rejects.toMatchObject({
      code: 'E_SOURCE_CHANGED',
      details: { expectedSizeBytes: 1_000_000, actualSizeBytes: 1_000_005 },
    });
  });

  test('is not read ahead of its reader without bound', async () => {
    await using rig = await startRig();
    const large = Buffer.alloc(64 * 1024 * 1024, 1);
    const put = rig.registry.putBlob(large);
    const before = process.memoryUsage().arrayBuffers;
    const blob = await rig.client.openBlob('a', put, quiet());
    await blob.read(new Uint8Array(1000), quiet());
    // Time for the network to bring what the client would take.
    for (let turn = 0; turn < 1000; turn += 1) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * 1024 * 1024);
    blob.close();
  });
});

describe('a download that breaks', () => {
  test.each<[string, readonly Download[], readonly (string | undefined)[]]>([
    [
      'goes on where it stopped',
      [{ cutAfterBytes: 100_000 }, { cutAfterBytes: 200_000 }],
      [undefined, 'bytes=100000-', 'bytes=300000-'],
    ],
    [
      'goes on at a server that knows no ranges',
      [{ cutAfterBytes: 100_000 }, { ignoresRange: true }],
      [undefined, 'bytes=100000-'],
    ],
    [
      'before the first byte starts again',
      [{ cutAfterBytes: 0 }, { cutAfterBytes: 0 }],
      [undefined, undefined, undefined],
    ],
    [
      'is not taken for its end where no length is told',
      [{ cutAfterBytes: 100_000, withoutLength: true }],
      [undefined, 'bytes=100000-'],
    ],
    [
      'is not gone on with by other bytes',
      [{ cutAfterBytes: 100_000 }, { shiftsRangeBy: 7 }, {}],
      [undefined, 'bytes=100000-', 'bytes=100000-'],
    ],
  ])('%s', async (_name, downloads, ranges) => {
    await using rig = await startRig();
    const put = rig.registry.putBlob(content);
    rig.registry.downloads.push(...downloads);
    const blob = await rig.client.openBlob('a', put, quiet());
    expect((await readAll(blob)).equals(content)).toBe(true);
    expect(rig.registry.requests.map(({ range }) => range)).toEqual(ranges);
  });

  test('while nobody reads it goes on', async () => {
    await using rig = await startRig();
    const put = rig.registry.putBlob(content);
    rig.registry.downloads.push({ cutAfterBytes: 100 });
    const blob = await rig.client.openBlob('a', put, quiet());
    await expect.poll(() => rig.registry.connectionCount()).toBe(0);
    expect((await readAll(blob)).equals(content)).toBe(true);
  });

  test('by a stall goes on', async () => {
    await using rig = await startRig({}, { stallTimeoutMs: 100 });
    const put = rig.registry.putBlob(content);
    rig.registry.downloads.push({ stallAfterBytes: 100_000 });
    const blob = await rig.client.openBlob('a', put, quiet());
    expect((await readAll(blob)).equals(content)).toBe(true);
    expect(rig.registry.requests.map(({ range }) => range)).toEqual([undefined, 'bytes=100000-']);
  });

  test('gets a new link from the registry each time', async () => {
    await using rig = await startRig({ redirectsBlobs: true });
    const put = rig.registry.putBlob(content);
    rig.registry.downloads.push({ cutAfterBytes: 100_000 });
    const blob = await rig.client.openBlob('a', put, quiet());
    expect((await readAll(blob)).equals(content)).toBe(true);
    expect(rig.registry.requests.map(({ url }) => url.split('/')[1])).toEqual([
      'v2',
      'storage',
      'v2',
      'storage',
    ]);
  });

  test('gets a new link when the storage refuses its own', async () => {
    await using rig = await startRig({ redirectsBlobs: true });
    const put = rig.registry.putBlob(content);
    const expire = (): void => {
      rig.registry.answers.push(
        (_request, response) => {
          response.writeHead(307, { location: `http://${rig.registry.storageHost}/old` }).end();
        },
        (_request, response) => refuse(response, 403, 'EXPIRED'),
      );
    };
    expire();
    const blob = await rig.client.openBlob('a', put, quiet());
    expect((await readAll(blob)).equals(content)).toBe(true);
  });

  test('without ever getting on is given up', async () => {
    await using rig = await startRig({}, { attemptsMax: 3, retryDelayMs: 10 });
    const put = rig.registry.putBlob(content);
    rig.registry.downloads.push({ cutAfterBytes: 100_000 });
    for (let count = 0; count < 10; count += 1) rig.registry.downloads.push({ cutAfterBytes: 10 });
    const blob = await rig.client.openBlob('a', put, quiet());
    await expect(readAll(blob)).rejects.toMatchObject({
      code: 'E_SOURCE_REGISTRY',
      details: { registryHost: rig.registry.host },
    });
    expect(rig.registry.requests).toHaveLength(3);
    expect(rig.surroundings.delays).toEqual([5, 10]);
  });

  test('as often as it likes is read, as long as it gets on', async () => {
    await using rig = await startRig({}, { attemptsMax: 2 });
    const put = rig.registry.putBlob(content);
    for (let count = 0; count < 10; count += 1) {
      rig.registry.downloads.push({ cutAfterBytes: 90_000 });
    }
    const blob = await rig.client.openBlob('a', put, quiet());
    expect((await readAll(blob)).equals(content)).toBe(true);
    expect(rig.registry.requests).toHaveLength(11);
  });

  test('in any way is read whole and right', async () => {
    await using registry = await startRegistry();
    const small = content.subarray(0, 20_000);
    const put = registry.putBlob(small);
    const download: fc.Arbitrary<Download> = fc.record(
      {
        cutAfterBytes: fc.nat(20_000),
        ignoresRange: fc.boolean(),
        withoutLength: fc.boolean(),
      },
      { requiredKeys: [] },
    );
    const { RegistryClient } = await import('../../src/registry/registry-client.ts');
    const { testSurroundings } = await import('./test-surroundings.ts');
    await fc.assert(
      fc.asyncProperty(
        fc.array(download, { maxLength: 8 }),
        fc.integer({ min: 1000, max: 30_000 }),
        async (downloads, pieceBytes) => {
          const options = { proxy: 'none', attemptsMax: 10 } as const;
          const client = new RegistryClient(registry.host, options, testSurroundings());
          registry.downloads.splice(0, Number.POSITIVE_INFINITY, ...downloads);
          const blob = await client.openBlob('a', put, quiet());
          expect((await readAll(blob, pieceBytes)).equals(small)).toBe(true);
          await client.close();
        },
      ),
      { numRuns: 40 },
    );
  });

  test('while its reader aborts rejects with the reason at once', async () => {
    await using rig = await startRig();
    const put = rig.registry.putBlob(content);
    rig.registry.downloads.push({ stallAfterBytes: 0 });
    const blob = await rig.client.openBlob('a', put, quiet());
    const abort = new AbortController();
    const reading = blob.read(new Uint8Array(10), abort.signal);
    const reason = new Error('enough');
    abort.abort(reason);
    await expect(reading).rejects.toBe(reason);
    blob.close();
    blob.close();
    await expect.poll(() => rig.registry.connectionCount()).toBe(0);
  });
});
