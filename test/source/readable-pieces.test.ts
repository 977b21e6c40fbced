import { PassThrough, Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { piecesOf } from '../../src/source/readable-pieces.ts';
import { MIB } from '../../src/limits.ts';

async function collect(stream: Readable): Promise<Buffer[]> {
  const pieces: Buffer[] = [];
  for await (const piece of piecesOf(stream)) pieces.push(piece as Buffer);
  return pieces;
}

async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

describe('the pieces of a stream', () => {
  test('are never larger than a MiB, however much is buffered', async () => {
    const stream = new Readable({ read: () => undefined });
    const chunk = Buffer.alloc(MIB - 7, 'x');
    for (let count = 0; count < 20; count += 1) stream.push(chunk);
    stream.push(null);
    const pieces = await collect(stream);
    expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThanOrEqual(MIB);
    expect(pieces.reduce((sum, { length }) => sum + length, 0)).toBe(20 * chunk.length);
  });

  test('are all its bytes in order, however they come', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ bytes: fc.uint8Array({ maxLength: 50 }), isLater: fc.boolean() })),
        fc.integer({ min: 1, max: 64 }),
        async (chunks, highWaterMark) => {
          const stream = new PassThrough({ highWaterMark });
          const reading = collect(stream);
          for (const { bytes, isLater } of chunks) {
            stream.write(bytes);
            if (isLater) await turn();
          }
          stream.end();
          const expected = Buffer.concat(chunks.map(({ bytes }) => bytes));
          expect(Buffer.concat(await reading).equals(expected)).toBe(true);
        },
      ),
    );
  });

  test('end with the error of a stream that fails, before or while it is read', async () => {
    const error = new Error('broken');
    const early = new PassThrough();
    early.on('error', () => undefined);
    early.destroy(error);
    await turn();
    await expect(collect(early)).rejects.toBe(error);
    const late = new PassThrough();
    const reading = collect(late);
    late.write('some');
    await turn();
    late.destroy(error);
    await expect(reading).rejects.toBe(error);
  });

  test('end with an error when the stream is closed before its end', async () => {
    const stream = new PassThrough();
    const reading = collect(stream);
    await turn();
    stream.destroy();
    await expect(reading).rejects.toThrow(/premature close/i);
  });

  test('leave no listener behind', async () => {
    const stream = new PassThrough();
    stream.end('all');
    await collect(stream);
    expect(stream.listenerCount('readable')).toBe(0);
  });

  test('of a stream that had ended before are none', async () => {
    const stream = new PassThrough();
    stream.end();
    stream.resume();
    await turn();
    await turn();
    expect(await collect(stream)).toEqual([]);
  });
});
