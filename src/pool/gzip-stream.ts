/**
 * One gzip member, its blocks compressed side by side. Each block begins with what the one before it
 * ended with as its dictionary, so that little is lost, and none depends on another's result: the
 * output is the same however many are under way.
 */

import { constants, crc32, deflateRaw } from 'node:zlib';

/** Deflate looks back this far (RFC 1951). */
const WINDOW_BYTES = 32 * 1024;
/**
 * Blocks of one layer on Node's own threads at once: more than there are cores, since they are written
 * in order and the oldest may be the slowest. The threads are the embedding program's too, four unless
 * it asked for more; what it reads from disk meanwhile may wait for a block, some 30 ms.
 */
const BLOCKS_IN_FLIGHT = 4;
/** RFC 1952: magic, deflate, no flags, no time, no extra, operating system unknown. */
const HEADER: Uint8Array = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff);

/** @param pieces not reused once given */
export async function writeGzip(
  pieces: AsyncIterable<Buffer>,
  level: number,
  write: (bytes: Uint8Array) => void,
): Promise<void> {
  const { Z_FINISH, Z_SYNC_FLUSH } = constants;
  const inFlight: Promise<Buffer>[] = [];
  let checksum = 0;
  let sizeBytes = 0;
  let window: Buffer | undefined;
  const writeNext = async (): Promise<void> => {
    const next = await inFlight.shift();
    if (next !== undefined) write(next);
  };
  write(HEADER);
  try {
    for await (const piece of pieces) {
      checksum = crc32(piece, checksum);
      sizeBytes += piece.length;
      if (inFlight.length >= BLOCKS_IN_FLIGHT) await writeNext();
      const block = deflate(piece, level, window, Z_SYNC_FLUSH);
      // It may fail before its turn to be waited for has come.
      block.catch(() => undefined);
      inFlight.push(block);
      window = piece.subarray(-WINDOW_BYTES);
    }
    while (inFlight.length > 0) await writeNext();
  } finally {
    // One that nobody waits for any more must not fail unheard.
    await Promise.allSettled(inFlight);
  }
  write(await deflate(Buffer.alloc(0), level, undefined, Z_FINISH));
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(checksum, 0);
  trailer.writeUInt32LE(sizeBytes % 2 ** 32, 4);
  write(trailer);
}

function deflate(
  bytes: Buffer,
  level: number,
  dictionary: Buffer | undefined,
  finishFlush: number,
): Promise<Buffer> {
  const options = { level, finishFlush, ...(dictionary !== undefined && { dictionary }) };
  return new Promise((resolve, reject) => {
    deflateRaw(bytes, options, (error, result) => {
      if (error === null) resolve(result);
      else reject(error);
    });
  });
}
