/** An open archive: finds out of which kind it is. Loaded only when one is opened. */

import type { Digest } from '../digest.ts';
import { LongshoreError } from '../errors.ts';
import { imageInvalid, imageUnsupported } from '../image/image-errors.ts';
import type { ImageSourceContext, OpenImage } from '../image/image-source.ts';
import { type Manifest, readManifest } from '../image/manifest.ts';
import { type ArchiveFiles, openArchiveFiles } from './archive-files.ts';
import { spoolArchive } from './archive-spool.ts';
import { DOCKER_MANIFEST_FILE } from './docker-archive.ts';
import { openDockerImage } from './docker-image.ts';
import type { ImageSelection } from './image-selection.ts';
import { INDEX_FILE, LAYOUT_FILE } from './layout-index.ts';
import { openOciLayout } from './oci-layout.ts';
import type { ByteStream } from './stream-source.ts';

/** What engines before Docker 1.10 wrote, and some still write beside the manifest. */
const LEGACY_FILE = 'repositories';
const UNCOMPRESSED_LAYERS: ReadonlySet<string> = new Set([
  'application/vnd.oci.image.layer.v1.tar',
  'application/vnd.docker.image.rootfs.diff.tar',
]);

export interface ArchiveRequest {
  readonly archive: string | ByteStream;
  readonly format: 'auto' | 'oci' | 'docker';
  readonly selection: ImageSelection;
  readonly label: string;
}

/** @throws LongshoreError as `archiveImage` says */
export async function openArchive(
  { archive, format, selection, label }: ArchiveRequest,
  context: ImageSourceContext,
  signal: AbortSignal,
): Promise<OpenImage> {
  const path = await spoolArchive(archive, label, context, signal);
  const files = await openArchiveFiles(path, label, signal);
  switch (format === 'auto' ? formatOf(files) : format) {
    case 'oci':
      return openOciLayout(files, selection, signal);
    case 'docker':
      return openDockerImage(files, selection, context, signal);
    case 'both':
      return openEither(files, selection, context, signal);
  }
}

/** By the names in it. @throws LongshoreError E_IMAGE_INVALID, E_IMAGE_UNSUPPORTED */
function formatOf(files: ArchiveFiles): 'oci' | 'docker' | 'both' {
  const isLayout = files.has(LAYOUT_FILE) || files.has(INDEX_FILE);
  const isDocker = files.has(DOCKER_MANIFEST_FILE);
  if (isLayout) return isDocker ? 'both' : 'oci';
  if (isDocker) return 'docker';
  if (files.has(LEGACY_FILE)) {
    const problem = 'it is of an engine before Docker 1.10, without manifest.json';
    const remedy = 'load it and save it again with an engine of today';
    throw imageUnsupported(files.label, 'the archive', problem, remedy);
  }
  const problem =
    'it has neither index.json nor manifest.json at its top, so it is neither an OCI layout nor of docker save';
  const remedy = 'give an OCI layout in a tar, or what docker save writes';
  throw imageInvalid(files.label, 'the archive', problem, undefined, remedy);
}

/**
 * Docker has written both from version 25 on. With its containerd store the layers are what a registry
 * has; otherwise they are tars, which one does not want to push as they are.
 */
async function openEither(
  files: ArchiveFiles,
  selection: ImageSelection,
  context: ImageSourceContext,
  signal: AbortSignal,
): Promise<OpenImage> {
  let image: OpenImage;
  try {
    image = await openOciLayout(files, selection, signal);
  } catch (error) {
    if (!LongshoreError.is(error, 'E_IMAGE_NOT_FOUND')) throw error;
    // Asked for by its id perhaps, or by a tag that only manifest.json has.
    return openDockerImage(files, selection, context, signal);
  }
  const digest = await uncompressedConfig(image, files.label, signal);
  if (digest === undefined) return image;
  try {
    return await openDockerImage(files, { digest }, context, signal);
  } catch (error) {
    if (LongshoreError.is(error, 'E_IMAGE_NOT_FOUND')) return image;
    throw error;
  }
}

/** The config of an image with layers that are not compressed. */
async function uncompressedConfig(
  image: OpenImage,
  source: string,
  signal: AbortSignal,
): Promise<Digest | undefined> {
  const manifestOf = async (descriptor: OpenImage['root']): Promise<Manifest | undefined> => {
    try {
      const bytes = await image.readManifest(descriptor, signal);
      return readManifest(bytes, { source, mediaType: descriptor.mediaType });
    } catch (error) {
      // Whoever pushes it is told what is wrong with it.
      if (LongshoreError.is(error)) return undefined;
      throw error;
    }
  };
  const root = await manifestOf(image.root);
  const children = (root?.manifests ?? []).filter(({ platform }) => platform?.os !== 'unknown');
  // Of an index for several platforms docker's side has only one.
  const [only, ...others] = root?.kind === 'image' ? [root] : children;
  if (only === undefined || others.length > 0) return undefined;
  const manifest = 'bytes' in only ? only : await manifestOf(only);
  const isPlain = manifest?.layers.some(({ mediaType }) => UNCOMPRESSED_LAYERS.has(mediaType));
  return isPlain === true ? manifest?.config?.digest : undefined;
}
