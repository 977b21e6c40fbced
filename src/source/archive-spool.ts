/** Brings an archive to where it can be read at any place: into a file, without its compression. */

import { createReadStream, createWriteStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { abortable } from '../abort.ts';
import { LongshoreError, systemCodeOf } from '../errors.ts';
import { imageInvalid, imageUnsupported } from '../image/image-errors.ts';
import type { ImageSourceContext } from '../image/image-source.ts';
import { sourceUnreadable } from '../layer/source-errors.ts';
import { MIB } from '../limits.ts';
import { plausiblyExpanded } from './gzip-expansion.ts';
import type { ByteStream } from './stream-source.ts';

const CHUNK_BYTES = MIB / 4;

/** Bytes by which a compression is known, and what undoes it. */
const COMPRESSIONS = [
  { name: 'zstd', magic: [0x28, 0xb5, 0x2f, 0xfd], command: 'zstd -d' },
  { name: 'xz', magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a], command: 'xz -d' },
  { name: 'bzip2', magic: [0x42, 0x5a, 0x68], command: 'bzip2 -d' },
] as const;
const GZIP_MAGIC = [0x1f, 0x8b];
const MAGIC_BYTES_MAX = 5;

/**
 * A path at which the tar is: the given one, or that of a copy in the temporary directory.
 * @throws LongshoreError E_SOURCE_UNREADABLE, E_IMAGE_INVALID, E_IMAGE_UNSUPPORTED,
 * E_TEMPORARY_UNWRITABLE; the signal's reason
 */
export async function spoolArchive(
  archive: string | ByteStream,
  label: string,
  context: Pick<ImageSourceContext, 'temporaryDirectory'>,
  signal: AbortSignal,
): Promise<string> {
  if (typeof archive === 'string') {
    signal.throwIfAborted();
    const isGzip = isGzipped(await firstBytesOf(archive, label), label);
    if (!isGzip) return archive;
    const stream = createReadStream(archive, { highWaterMark: CHUNK_BYTES });
    return write(chunksOf(stream, label, signal), true, label, context, signal);
  }
  const chunks = chunksOf(archive, label, signal);
  const head: Uint8Array[] = [];
  try {
    await readHead(chunks, head);
    const isGzip = isGzipped(Buffer.concat(head), label);
    return await write(joined(head, chunks), isGzip, label, context, signal);
  } finally {
    // Whoever writes into the stream must not wait for us for ever.
    await chunks.return(undefined);
  }
}

async function readHead(chunks: AsyncIterator<Uint8Array>, head: Uint8Array[]): Promise<void> {
  let headBytes = 0;
  while (headBytes < MAGIC_BYTES_MAX) {
    const { done, value } = await chunks.next();
    if (done === true) return;
    head.push(value);
    headBytes += value.length;
  }
}

async function firstBytesOf(path: string, label: string): Promise<Uint8Array> {
  try {
    // Before it is opened: opening a pipe waits for whoever writes to it.
    if (!(await stat(path)).isFile()) throw new Error('it is not a regular file');
    await using file = await open(path, 'r');
    const bytes = Buffer.alloc(MAGIC_BYTES_MAX);
    const { bytesRead } = await file.read(bytes, 0, MAGIC_BYTES_MAX, 0);
    return bytes.subarray(0, bytesRead);
  } catch (error) {
    throw sourceUnreadable(label, error, 'give an archive, or a stream of one');
  }
}

/** @throws LongshoreError E_IMAGE_UNSUPPORTED for other compressions; E_IMAGE_INVALID for nothing */
function isGzipped(head: Uint8Array, label: string): boolean {
  if (head.length === 0) {
    const remedy = 'look whether the command that makes it failed';
    throw imageInvalid(label, 'the archive', 'it is empty', undefined, remedy);
  }
  const isLike = (magic: readonly number[]): boolean =>
    magic.every((byte, index) => head[index] === byte);
  for (const { name, magic, command } of COMPRESSIONS) {
    if (!isLike(magic)) continue;
    const problem = `it is compressed with ${name}, and only gzip is undone here`;
    throw imageUnsupported(label, 'the archive', problem, `decompress it first (${command})`);
  }
  return isLike(GZIP_MAGIC);
}

async function* chunksOf(
  stream: ByteStream,
  label: string,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const iterator = iteratorOf(stream, label);
  let hasEnded = false;
  try {
    for (;;) {
      const result = await abortable(iterator.next(), signal).catch((error: unknown) => {
        throw signal.aborted ? signal.reason : sourceUnreadable(label, error);
      });
      if (result.done === true) {
        hasEnded = true;
        return;
      }
      if (!(result.value instanceof Uint8Array)) {
        throw sourceUnreadable(label, new TypeError('it yields something other than bytes'));
      }
      yield result.value;
    }
  } finally {
    if (!hasEnded) {
      // Lets the producer go. It may be waiting for its own input, so nobody waits for it here.
      void Promise.resolve(iterator.return?.()).catch(() => undefined);
      if ('destroy' in stream) stream.destroy();
    }
  }
}

function iteratorOf(stream: ByteStream, label: string): AsyncIterator<unknown> {
  try {
    return stream[Symbol.asyncIterator]();
  } catch (error) {
    throw sourceUnreadable(label, error);
  }
}

async function* joined(
  head: readonly Uint8Array[],
  rest: AsyncGenerator<Uint8Array, void, undefined>,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield* head;
  yield* rest;
}

/** Decompression runs on libuv's threads. */
async function write(
  chunks: AsyncGenerator<Uint8Array, void, undefined>,
  isGzip: boolean,
  label: string,
  context: Pick<ImageSourceContext, 'temporaryDirectory'>,
  signal: AbortSignal,
): Promise<string> {
  try {
    const path = join(await context.temporaryDirectory(), 'archive.tar');
    const output = createWriteStream(path, { flags: 'wx', mode: 0o600 });
    if (!isGzip) {
      await pipeline(chunks, output, { signal });
      return path;
    }
    const gunzip = createGunzip({ chunkSize: CHUNK_BYTES });
    const expand = (pieces: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> =>
      plausiblyExpanded(pieces, () => gunzip.bytesWritten, label);
    await pipeline(chunks, gunzip, expand, output, { signal });
    return path;
  } catch (error) {
    signal.throwIfAborted();
    if (LongshoreError.is(error)) throw error;
    const systemCode = systemCodeOf(error);
    const message = error instanceof Error ? error.message : String(error);
    if (systemCode?.startsWith('Z_') === true) {
      throw imageInvalid(label, 'the archive', `its gzip data is damaged: ${message}`, error);
    }
    throw new LongshoreError(
      'E_TEMPORARY_UNWRITABLE',
      `cannot write to the temporary directory: ${message}; make room, or choose another one ` +
        '(temporaryDirectory, TMPDIR)',
      systemCode === undefined ? {} : { systemCode },
      { cause: error },
    );
  } finally {
    await chunks.return();
  }
}
