import type { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { abortable } from '../abort.ts';
import type { Digest } from '../digest.ts';
import type { LayerSource, OpenSource } from '../layer/layer-source.ts';
import { sourceUnreadable } from '../layer/source-errors.ts';
import { piecesOf } from './readable-pieces.ts';

/** A Node or web stream, or anything else that yields bytes. */
export type ByteStream = Readable | ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>;

/**
 * A stream, of known or unknown length. Backpressure reaches it: it is read only as fast as part
 * buffers become free.
 * @param stream the stream, or a function that makes it anew: then the layer can start again when
 *   ECR loses the upload, and the function may be called twice
 * @param options.sizeBytes the length, if known; a different one ends in E_SOURCE_CHANGED
 * @param options.digest the digest, if known: then nothing is read for a layer ECR has
 */
export function streamSource(
  stream: ByteStream | (() => ByteStream | Promise<ByteStream>),
  options: {
    readonly label?: string;
    readonly sizeBytes?: number;
    readonly digest?: Digest;
  } = {},
): LayerSource {
  const label = options.label ?? 'stream';
  if (typeof stream !== 'function') holdError(stream);
  let consumed = false;
  return {
    label,
    ...(options.digest !== undefined && { digest: options.digest }),
    open: async () => {
      if (typeof stream === 'function') {
        let made: ByteStream;
        try {
          made = await stream();
        } catch (error) {
          throw sourceUnreadable(label, error);
        }
        holdError(made);
        return openStream(made, label, options.sizeBytes, true);
      }
      if (consumed) {
        throw sourceUnreadable(label, new Error('the stream was read before'), 'pass a function');
      }
      consumed = true;
      return openStream(stream, label, options.sizeBytes, false);
    },
  };
}

function openStream(
  stream: ByteStream,
  label: string,
  sizeBytes: number | undefined,
  rereadable: boolean,
): OpenSource {
  const iterator = iterate(stream, label);
  let leftover: Uint8Array = new Uint8Array(0);
  let ended = false;
  let receivedBytes = 0;

  /** The next chunk, or `undefined` at the end. */
  async function nextChunk(signal: AbortSignal): Promise<Uint8Array | undefined> {
    const result = await abortable(iterator.next(), signal).catch((error: unknown) => {
      throw signal.aborted ? signal.reason : sourceUnreadable(label, error);
    });
    if (result.done === true) return undefined;
    if (!(result.value instanceof Uint8Array)) {
      throw sourceUnreadable(label, new TypeError('it yields something other than bytes'));
    }
    receivedBytes += result.value.length;
    return result.value;
  }

  return {
    sizeBytes,
    rereadable,
    cheapToReread: false,
    get receivedBytes() {
      return receivedBytes;
    },
    read: async (target, _firstByte, signal) => {
      let filled = 0;
      while (filled < target.length && !ended) {
        if (leftover.length === 0) {
          const chunk = await nextChunk(signal);
          if (chunk === undefined) {
            ended = true;
            break;
          }
          leftover = chunk;
        }
        const piece = leftover.subarray(0, target.length - filled);
        target.set(piece, filled);
        filled += piece.length;
        leftover = leftover.subarray(piece.length);
      }
      return filled;
    },
    assertUnchanged: () => Promise.resolve(),
    close: async () => {
      if (ended) return;
      ended = true;
      // Lets the producer go. It may be waiting for its own input, so nobody waits for it here.
      void Promise.resolve(iterator.return?.()).catch(() => undefined);
      if ('destroy' in stream) stream.destroy();
      await Promise.resolve();
    },
  };
}

/**
 * A Node stream may fail before anybody reads it, which would end the process. The error is not lost:
 * the reader is told of it.
 */
export function holdError(stream: ByteStream): void {
  if ('pipe' in stream) stream.on('error', () => undefined);
}

function iterate(stream: ByteStream, label: string): AsyncIterator<unknown> {
  try {
    // Streams of objects give them one by one.
    if ('pipe' in stream && !stream.readableObjectMode) return piecesOf(stream);
    return stream[Symbol.asyncIterator]();
  } catch (error) {
    // A web stream that somebody else reads.
    throw sourceUnreadable(label, error);
  }
}
