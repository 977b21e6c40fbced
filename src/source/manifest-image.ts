import { isDigest } from '../digest.ts';
import type { ImageSource } from '../image/image-source.ts';
import type { ImagePieces } from './image-pieces.ts';
import { assertNames, assertText, selectionInvalid } from './image-selection.ts';

/**
 * An image whose pieces a build system holds by itself, without a layout or an archive around them.
 *
 * Opening it fails with E_SOURCE_UNREADABLE, E_IMAGE_INVALID or E_IMAGE_UNSUPPORTED; a piece that is
 * missing or has another size than its manifest says is found before anything is sent (E_BLOB_MISSING,
 * E_IMAGE_INVALID), one of another digest where it is read (E_DIGEST_MISMATCH).
 * @throws LongshoreError E_OPTION_INVALID
 */
export function manifestImage(pieces: ImagePieces): ImageSource {
  assertNames(pieces, ['manifest', 'mediaType', 'blobs', 'manifests', 'label']);
  const { manifest, mediaType, blobs, manifests = {}, label } = pieces;
  if (!(manifest instanceof Uint8Array)) assertText('manifest', manifest);
  if (mediaType !== undefined) assertText('mediaType', mediaType);
  if (label !== undefined) assertText('label', label);
  if (typeof blobs !== 'function') assertByDigest('blobs', blobs);
  assertByDigest('manifests', manifests);
  const name = label ?? (typeof manifest === 'string' ? manifest : 'manifest');
  return {
    label: name,
    open: async (_context, signal) => {
      const { openPieces } = await import('./pieced-image.ts');
      return openPieces({ ...pieces, manifests, label: name }, signal);
    },
  };
}

function assertByDigest(option: string, values: unknown): void {
  if (typeof values !== 'object' || values === null) {
    throw selectionInvalid(option, 'an object', values);
  }
  for (const [digest, value] of Object.entries(values)) {
    if (!isDigest(digest)) {
      throw selectionInvalid(
        option,
        'sha256: and 64 lower-case hexadecimal digits as keys',
        digest,
      );
    }
    if (!(value instanceof Uint8Array)) assertText(`${option}[${digest}]`, value);
  }
}
