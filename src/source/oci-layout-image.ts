import type { ImageSource } from '../image/image-source.ts';
import { assertText, checkedSelection, type ImageSelection } from './image-selection.ts';

/** Options of {@link ociLayoutImage}. Every field is optional. */
export interface OciLayoutImageOptions extends ImageSelection {
  /** For messages and progress. Default: the path. */
  readonly label?: string;
}

/**
 * An image in a folder that is an OCI image layout, as `skopeo copy ... oci:`, `umoci`, `oras` and
 * `docker buildx build --output type=oci,tar=false` write it. Its manifests go to ECR byte for byte.
 * Where there are several, `reference`, `digest` or `platform` say which; images that others list or
 * refer to are not counted. Blobs may be symbolic links as long as they stay within the folder.
 *
 * Opening it fails with E_SOURCE_UNREADABLE, E_IMAGE_INVALID, E_IMAGE_NOT_FOUND or E_IMAGE_AMBIGUOUS
 * (`details.choices` lists what there is); what is missing or of the wrong size, E_BLOB_MISSING or
 * E_IMAGE_INVALID, is found before anything is sent.
 * @param path absolute, or relative to the working directory when the push begins
 * @throws LongshoreError E_OPTION_INVALID
 */
export function ociLayoutImage(path: string, options: OciLayoutImageOptions = {}): ImageSource {
  assertText('path', path);
  const selection = checkedSelection(options);
  const label = options.label ?? path;
  return {
    label,
    open: async (_context, signal) => {
      const [{ openFolder }, { openOciLayout }] = await Promise.all([
        import('./folder-files.ts'),
        import('./oci-layout.ts'),
      ]);
      return openOciLayout(await openFolder(path, label), selection, signal);
    },
  };
}
