/** A zstd stream of frames of one size; one after the other they are one stream (RFC 8878, 3). */

const FRAME_BYTES = 4 * 1024 * 1024;

/** @param pieces not reused once given */
export async function writeZstd(
  pieces: AsyncIterable<Buffer>,
  level: number,
  write: (bytes: Uint8Array) => void,
): Promise<void> {
  // Loaded only by threads that use it.
  const { compress, init } = await import('@bokuweb/zstd-wasm');
  await init();
  let frame: Buffer[] = [];
  let lengthBytes = 0;
  let frameCount = 0;
  const end = (): void => {
    write(compress(Buffer.concat(frame, lengthBytes), level));
    frame = [];
    lengthBytes = 0;
    frameCount += 1;
  };
  for await (const piece of pieces) {
    frame.push(piece);
    lengthBytes += piece.length;
    if (lengthBytes < FRAME_BYTES) continue;
    end();
    // Other jobs of this thread have sockets to serve.
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
  if (lengthBytes > 0 || frameCount === 0) end();
}
