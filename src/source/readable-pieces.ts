import { finished, type Readable } from 'node:stream';

/** What is taken out of a stream at once. */
const PIECE_BYTES_MAX = 1024 * 1024;

/**
 * What a Node stream gives, a piece of bounded size after the other. Its own iterator takes all that is
 * buffered in one piece, as a copy: of a source that hears no backpressure that is the whole layer.
 */
export async function* piecesOf(stream: Readable): AsyncGenerator {
  let wake: () => void = () => undefined;
  const onReadable = (): void => wake();
  /** `null` at the regular end. */
  let ending: Error | null | undefined;
  stream.on('readable', onReadable);
  const forget = finished(stream, { writable: false }, (error) => {
    ending = error ?? null;
    wake();
  });
  try {
    for (;;) {
      // Asks for more, and lets a stream that has ended say so.
      if (stream.readableLength === 0 && ending === undefined) stream.read(0);
      const lengthBytes = Math.min(stream.readableLength, PIECE_BYTES_MAX);
      const piece: unknown = lengthBytes > 0 && !stream.destroyed ? stream.read(lengthBytes) : null;
      if (piece !== null) {
        yield piece;
        continue;
      }
      if (ending === null) return;
      if (ending !== undefined) throw ending;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  } finally {
    stream.off('readable', onReadable);
    forget();
  }
}
