import type { ImageSource } from '../image/image-source.ts';
import { sourceUnreadable } from '../layer/source-errors.ts';
import {
  assertText,
  checkedSelection,
  type ImageSelection,
  selectionInvalid,
} from './image-selection.ts';
import { type ByteStream, holdError } from './stream-source.ts';

/** Options of {@link archiveImage}. Every field is optional. */
export interface ArchiveImageOptions extends ImageSelection {
  /**
   * `oci`: an OCI image layout as a tar, its manifests pushed byte for byte. `docker`: what `docker save`
   * writes, by its `manifest.json`. Default `auto`: where an archive is both, `oci` if the layers are
   * compressed, and `docker` if they are not.
   */
  readonly format?: 'auto' | 'oci' | 'docker';
  /** For messages and progress. Default: the path, or `archive` for a stream. */
  readonly label?: string;
}

const FORMATS: readonly unknown[] = ['auto', 'oci', 'docker'];

/**
 * An image in a tar archive: an OCI layout (`skopeo copy ... oci-archive:`, `buildx --output type=oci`) or
 * what `docker save` and `podman save` write, of any version. A file is read where it stands, by random
 * access; a stream, and an archive that is compressed with gzip, is first written to the temporary
 * directory, uncompressed: only the room there bounds how large it may become.
 *
 * Of `docker save`, layers that are not compressed are compressed (the push's `compression`) and checked
 * against the config's diffIDs; layers that are compressed already are taken as they are, unchecked. The
 * config stays as it is, the manifest is made: of Docker schema 2 with gzip layers, or of OCI where a layer is
 * of zstd, for which Docker has no type.
 *
 * Opening it fails with E_SOURCE_UNREADABLE, E_IMAGE_INVALID (also: cut off, damaged, over 100,000
 * entries), E_IMAGE_UNSUPPORTED (zstd, xz or bzip2 around the archive), E_IMAGE_NOT_FOUND,
 * E_IMAGE_AMBIGUOUS, E_BLOB_MISSING, E_DIGEST_MISMATCH (a layer is not what the config says) or
 * E_TEMPORARY_UNWRITABLE.
 * @param archive a path, absolute or relative to the working directory when the push begins; or a stream
 *   such as standard input, which can be used once
 * @throws LongshoreError E_OPTION_INVALID
 */
export function archiveImage(
  archive: string | ByteStream,
  options: ArchiveImageOptions = {},
): ImageSource {
  if (typeof archive === 'string') assertText('archive', archive);
  else if (!isByteStream(archive)) throw selectionInvalid('archive', 'a path or a stream', archive);
  else holdError(archive);
  const selection = checkedSelection(options, ['format']);
  const { format = 'auto' } = options;
  if (!FORMATS.includes(format)) throw selectionInvalid('format', FORMATS.join(', '), format);
  const label = options.label ?? (typeof archive === 'string' ? archive : 'archive');
  let isConsumed = false;
  return {
    label,
    open: async (context, signal) => {
      if (isConsumed) throw sourceUnreadable(label, new Error('the stream was read before'));
      isConsumed = typeof archive !== 'string';
      const { openArchive } = await import('./archive.ts');
      return openArchive({ archive, format, selection, label }, context, signal);
    },
  };
}

function isByteStream(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}
