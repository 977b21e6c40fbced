/** The media types of manifests and layers, and what they mean for a push. */

export const OCI_IMAGE = 'application/vnd.oci.image.manifest.v1+json';
export const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
export const DOCKER_IMAGE = 'application/vnd.docker.distribution.manifest.v2+json';
export const DOCKER_LIST = 'application/vnd.docker.distribution.manifest.list.v2+json';
export const OCI_CONFIG = 'application/vnd.oci.image.config.v1+json';
export const DOCKER_CONFIG = 'application/vnd.docker.container.image.v1+json';

/** What a registry may be asked for: images and indexes of both families. */
export const MANIFEST_TYPES: readonly string[] = [OCI_INDEX, OCI_IMAGE, DOCKER_LIST, DOCKER_IMAGE];

/** Layers that only their vendor may hand out; registries expect them to be left out of a push. */
const FOREIGN_LAYERS: ReadonlySet<string> = new Set([
  'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
  'application/vnd.docker.image.rootfs.foreign.diff.tar',
  'application/vnd.oci.image.layer.nondistributable.v1.tar',
  'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip',
  'application/vnd.oci.image.layer.nondistributable.v1.tar+zstd',
]);

/** RFC 6838 names without parameters. */
const MEDIA_TYPE =
  /^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}\/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}$/;

export function isImageType(mediaType: string): boolean {
  return mediaType === OCI_IMAGE || mediaType === DOCKER_IMAGE;
}

export function isIndexType(mediaType: string): boolean {
  return mediaType === OCI_INDEX || mediaType === DOCKER_LIST;
}

export function isForeignLayerType(mediaType: string): boolean {
  return FOREIGN_LAYERS.has(mediaType);
}

/** ECR refuses media types with parameters, `type; version=1` (containers-roadmap#2306, M). */
export function isPlainMediaType(mediaType: string): boolean {
  return MEDIA_TYPE.test(mediaType);
}
