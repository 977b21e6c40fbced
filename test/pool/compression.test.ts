import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { writeGzip } from '../../src/pool/gzip-stream.ts';
import { WorkerPool } from '../../src/pool/worker-pool.ts';
import { Workshop } from '../../src/pool/workshop.ts';
import { resolveCompression } from '../../src/image/compression.ts';
import { MIB } from '../../src/limits.ts';
import { digestOf } from '../image/memory-image.ts';
import { temporaryFolder } from '../package/temporary-folder.ts';
import { expectFailure } from '../uploader/expectation.ts';

const hasZstd = spawnSync('zstd', ['--version']).status === 0;
if (!hasZstd) process.stderr.write('\n*** SKIPPED: no `zstd` to judge what we compress. ***\n\n');

/** Compressible, but not by much, and longer than several frames. */
const content = Buffer.concat([
  Buffer.from('layer '.repeat(400_000)),
  randomBytes(3 * MIB),
  Buffer.alloc(7 * MIB),
]);
const { signal } = new AbortController();

async function withWorkshop(
  threads: number,
  work: (workshop: Workshop, folder: string) => Promise<void>,
): Promise<void> {
  using folder = temporaryFolder();
  const pool = new WorkerPool(threads, undefined);
  try {
    await writeFile(join(folder.path, 'input'), Buffer.concat([Buffer.alloc(10, 1), content]));
    await work(new Workshop(pool, 'native'), folder.path);
  } finally {
    await pool.close();
  }
}

function inputIn(folder: string) {
  const path = join(folder, 'input');
  return { path, offsetBytes: 10, sizeBytes: content.length, label: 'the layer' };
}

function progressCounter(): SharedArrayBuffer {
  return new SharedArrayBuffer(8);
}

function expand(kind: 'gzip' | 'zstd', path: string, bytes: Buffer): Buffer {
  if (kind === 'gzip') return gunzipSync(bytes);
  if (!hasZstd) return content;
  return spawnSync('zstd', ['-dc', path], { maxBuffer: 64 * MIB }).stdout;
}

describe('a layer is compressed', () => {
  test.each(['gzip', 'zstd'] as const)('by %s, the same way each time and thread', (kind) =>
    withWorkshop(2, async (workshop, folder) => {
      const progress = progressCounter();
      const compression = resolveCompression({ kind });
      const results = await Promise.all(
        ['a', 'b', 'c'].map((name) =>
          workshop.compress(inputIn(folder), join(folder, name), compression, progress, signal),
        ),
      );
      const [first] = results;
      if (first === undefined) throw new Error('no result');
      const bytes = await readFile(first.path);
      expect(first).toMatchObject({
        digest: digestOf(bytes),
        sizeBytes: bytes.length,
        diffId: digestOf(content),
      });
      expect(new Set(results.map(({ digest }) => digest)).size).toBe(1);
      expect(bytes.length).toBeLessThan(content.length / 2);
      expect(new Float64Array(progress)[0]).toBe(content.length);
      expect(expand(kind, first.path, bytes).equals(content)).toBe(true);
    }),
  );

  test('by gzip without a time or an operating system in it', () =>
    withWorkshop(1, async (workshop, folder) => {
      const path = join(folder, 'output');
      const compression = resolveCompression();
      const progress = progressCounter();
      await workshop.compress(inputIn(folder), path, compression, progress, signal);
      const bytes = await readFile(path);
      expect([...bytes.subarray(4, 8), bytes[9]]).toEqual([0, 0, 0, 0, 255]);
    }));

  test('harder at a higher level', () =>
    withWorkshop(1, async (workshop, folder) => {
      const sizeOf = async (level: number) => {
        const compression = resolveCompression({ kind: 'gzip', level });
        const path = join(folder, `level-${level}`);
        const progress = progressCounter();
        const made = await workshop.compress(inputIn(folder), path, compression, progress, signal);
        return made.sizeBytes;
      };
      expect(await sizeOf(9)).toBeLessThan(await sizeOf(1));
    }));
});

describe('a compression that fails leaves no file', () => {
  test.each(['gzip', 'zstd'] as const)('by %s, cancelled in the midst of it', (kind) =>
    withWorkshop(1, async (workshop, folder) => {
      const abort = new AbortController();
      const reason = new Error('enough');
      const progress = progressCounter();
      const compressing = workshop.compress(
        inputIn(folder),
        join(folder, 'output'),
        resolveCompression({ kind, level: 9 }),
        progress,
        abort.signal,
      );
      compressing.catch(() => undefined);
      await expect.poll(() => new Float64Array(progress)[0], { interval: 1 }).toBeGreaterThan(0);
      expect(await readdir(folder)).toEqual(['input', 'output']);
      abort.abort(reason);
      await expect(compressing).rejects.toBe(reason);
      expect(await readdir(folder)).toEqual(['input']);
    }),
  );

  test('whose input is shorter than it was said to be', () =>
    withWorkshop(1, async (workshop, folder) => {
      const input = { ...inputIn(folder), sizeBytes: content.length + 1 };
      const output = join(folder, 'output');
      const compression = resolveCompression();
      const progress = progressCounter();
      const compressing = workshop.compress(input, output, compression, progress, signal);
      const error = await expectFailure(compressing, 'E_SOURCE_CHANGED');
      expect(error.details.actualSizeBytes).toBe(content.length);
      expect(await readdir(folder)).toEqual(['input']);
    }));

  test('whose folder is not there', () =>
    withWorkshop(1, async (workshop, folder) => {
      const output = join(folder, 'missing', 'output');
      const compression = resolveCompression();
      const progress = progressCounter();
      const compressing = workshop.compress(inputIn(folder), output, compression, progress, signal);
      const error = await expectFailure(compressing, 'E_TEMPORARY_UNWRITABLE');
      expect(error.details.systemCode).toBe('ENOENT');
    }));
});

test('blocks that fail all at once are one failure, heard of once', async () => {
  async function* pieces(): AsyncGenerator<Buffer> {
    for (let count = 0; count < 6; count += 1) {
      yield Buffer.alloc(10);
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
    }
  }
  const writing = writeGzip(pieces(), 99, () => undefined);
  await expect(writing).rejects.toThrow('level');
});
