/** What an OCI layout says of itself: its version, and the images that one may ask it for. */

import type { Descriptor } from '../image/descriptor.ts';
import { imageInvalid, imageUnsupported } from '../image/image-errors.ts';
import { JsonProblem, type JsonObject, readJsonObject } from '../image/json-document.ts';
import { readDescriptors } from '../image/manifest.ts';
import { MANIFEST_SIZE_MAX_BYTES } from '../limits.ts';
import { type ImageFiles, readSmallFile } from './image-files.ts';

export const LAYOUT_FILE = 'oci-layout';
export const INDEX_FILE = 'index.json';
/** `{"imageLayoutVersion": "1.0.0"}` and nothing else. */
const LAYOUT_FILE_BYTES_MAX = 4096;
const INDEX_BYTES_MAX = MANIFEST_SIZE_MAX_BYTES;

const NAME_ANNOTATIONS = ['org.opencontainers.image.ref.name', 'io.containerd.image.name'] as const;

export interface LayoutEntry {
  readonly descriptor: Descriptor;
  /** By which one may ask for it. */
  readonly names: readonly string[];
}

/** @throws LongshoreError E_IMAGE_INVALID, E_SOURCE_UNREADABLE */
export async function readLayoutIndex(
  files: ImageFiles,
  signal: AbortSignal,
): Promise<readonly LayoutEntry[]> {
  const layout = await readDocument(files, LAYOUT_FILE, LAYOUT_FILE_BYTES_MAX, signal);
  const version = layout['imageLayoutVersion'];
  if (typeof version !== 'string') {
    throw imageInvalid(files.label, LAYOUT_FILE, 'it has no imageLayoutVersion');
  }
  if (!version.startsWith('1.')) {
    const problem = `it is of version ${version.slice(0, 20)}, and only 1.x is known`;
    const remedy = 'copy it with skopeo to a layout of today';
    throw imageUnsupported(files.label, LAYOUT_FILE, problem, remedy);
  }
  const index = await readDocument(files, INDEX_FILE, INDEX_BYTES_MAX, signal);
  return within(files, INDEX_FILE, () =>
    readDescriptors(index, 'manifests').map((descriptor) => ({
      descriptor,
      names: NAME_ANNOTATIONS.flatMap((key) => descriptor.annotations?.[key] ?? []),
    })),
  );
}

async function readDocument(
  files: ImageFiles,
  path: string,
  sizeBytesMax: number,
  signal: AbortSignal,
): Promise<JsonObject> {
  const bytes = await readSmallFile(files, path, sizeBytesMax, signal);
  if (bytes === undefined) {
    const problem = 'there is no such file, so this is no OCI image layout';
    const remedy = 'give the folder, or the tar, of an OCI image layout';
    throw imageInvalid(files.label, path, problem, undefined, remedy);
  }
  return within(files, path, () => readJsonObject(bytes));
}

/** Names the document in what is wrong with it. */
function within<T>({ label }: ImageFiles, path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof JsonProblem) throw imageInvalid(label, path, error.message);
    throw error;
  }
}
