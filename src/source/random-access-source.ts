import { abortable } from '../abort.ts';
import type { Digest } from '../digest.ts';
import type { LayerSource } from '../layer/layer-source.ts';
import { sourceUnreadable } from '../layer/source-errors.ts';

/** Anything that can give the bytes of a range: an object store, a database, a remote file. */
export interface RandomAccess {
  readonly sizeBytes: number;
  /**
   * Resolves with 1 to `lengthBytes` bytes from `firstByte` on (fewer only by the reader's choice:
   * the rest is asked for again), or with none at the end of the data.
   */
  read(firstByte: number, lengthBytes: number, signal: AbortSignal): Promise<Uint8Array>;
}

/**
 * A source with random access. Reads come in order, a part at a time, and again from the start only
 * if the layer has to be uploaded anew.
 */
export function randomAccessSource(
  access: RandomAccess,
  options: { readonly label?: string; readonly digest?: Digest } = {},
): LayerSource {
  const label = options.label ?? 'random access source';
  return {
    label,
    ...(options.digest !== undefined && { digest: options.digest }),
    open: () => {
      let receivedBytes = 0;
      return Promise.resolve({
        sizeBytes: access.sizeBytes,
        rereadable: true,
        cheapToReread: false,
        get receivedBytes() {
          return receivedBytes;
        },
        read: async (target, firstByte, signal) => {
          let filled = 0;
          while (filled < target.length) {
            const wanted = target.length - filled;
            const bytes = await abortable(
              readFrom(access, firstByte + filled, wanted, signal),
              signal,
            ).catch((error: unknown) => {
              throw signal.aborted ? signal.reason : sourceUnreadable(label, error);
            });
            if (bytes.length === 0) break;
            if (bytes.length > wanted) {
              const surplus = new Error(`asked for ${wanted} bytes, was given ${bytes.length}`);
              throw sourceUnreadable(label, surplus);
            }
            target.set(bytes, filled);
            filled += bytes.length;
            receivedBytes += bytes.length;
          }
          return filled;
        },
        assertUnchanged: () => Promise.resolve(),
        close: () => Promise.resolve(),
      });
    },
  };
}

/** A reader that throws at once fails like one that rejects. */
async function readFrom(
  access: RandomAccess,
  firstByte: number,
  lengthBytes: number,
  signal: AbortSignal,
): Promise<Uint8Array> {
  return access.read(firstByte, lengthBytes, signal);
}
