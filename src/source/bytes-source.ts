import type { Digest } from '../digest.ts';
import type { LayerSource } from '../layer/layer-source.ts';

/**
 * Bytes in memory. They must not change before the upload ends.
 * @param bytes the whole layer
 * @param options.label for messages and progress; default `bytes`
 * @param options.digest the digest, if known: then nothing is sent for a layer ECR has
 */
export function bytesSource(
  bytes: Uint8Array,
  options: { readonly label?: string; readonly digest?: Digest } = {},
): LayerSource {
  return {
    label: options.label ?? 'bytes',
    ...(options.digest !== undefined && { digest: options.digest }),
    open: () =>
      Promise.resolve({
        sizeBytes: bytes.length,
        rereadable: true,
        cheapToReread: true,
        read: (target, firstByte) => {
          const piece = bytes.subarray(firstByte, firstByte + target.length);
          target.set(piece);
          return Promise.resolve(piece.length);
        },
        assertUnchanged: () => Promise.resolve(),
        close: () => Promise.resolve(),
      }),
  };
}
