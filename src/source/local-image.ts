import { stat } from 'node:fs/promises';
import type { ImageSource } from '../image/image-source.ts';
import { sourceUnreadable } from '../layer/source-errors.ts';
import { archiveImage } from './archive-image.ts';
import { assertText, checkedSelection, type ImageSelection } from './image-selection.ts';
import { ociLayoutImage } from './oci-layout-image.ts';

/** Options of {@link localImage}. Every field is optional. */
export interface LocalImageOptions extends ImageSelection {
  /** For messages and progress. Default: the path. */
  readonly label?: string;
}

const EXPECTED =
  'give the folder of an OCI image layout, or an archive of one or of docker save (.tar, .tar.gz)';

/**
 * An image on this machine, of whichever form: a folder is taken as by {@link ociLayoutImage}, a file as
 * by {@link archiveImage}. Which of them it is is looked at when the push begins.
 *
 * Opening it fails as theirs does; with E_SOURCE_UNREADABLE for what is neither a folder nor a file.
 * @param path absolute, or relative to the working directory when the push begins
 * @throws LongshoreError E_OPTION_INVALID
 */
export function localImage(path: string, options: LocalImageOptions = {}): ImageSource {
  assertText('path', path);
  checkedSelection(options);
  const label = options.label ?? path;
  return {
    label,
    open: async (context, signal) => {
      signal.throwIfAborted();
      const found = await stat(path).catch((error: unknown) => {
        throw sourceUnreadable(label, error, EXPECTED);
      });
      if (found.isDirectory()) return ociLayoutImage(path, options).open(context, signal);
      if (found.isFile()) return archiveImage(path, options).open(context, signal);
      throw sourceUnreadable(label, new Error('it is neither a folder nor a file'), EXPECTED);
    },
  };
}
