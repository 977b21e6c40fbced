/** A real OCI image over the uploaded layers, so that ECR gives them out again. */

import type { LayerReceipt } from '../../src/index.ts';
import type { PackedLayer } from './layer-pack.ts';

export const MANIFEST_MEDIA_TYPE = 'application/vnd.oci.image.manifest.v1+json';

/** The configuration blob: what the image runs on, and the SHA-256 of each unpacked layer. */
export function imageConfiguration(layers: readonly PackedLayer[]): Uint8Array {
  const configuration = {
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    os: 'linux',
    config: { Cmd: ['node'] },
    rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.diffId) },
  };
  return new TextEncoder().encode(JSON.stringify(configuration));
}

export function imageManifest(
  configuration: LayerReceipt,
  layers: readonly LayerReceipt[],
): string {
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: MANIFEST_MEDIA_TYPE,
    config: descriptor('application/vnd.oci.image.config.v1+json', configuration),
    layers: layers.map((layer) => descriptor('application/vnd.oci.image.layer.v1.tar+gzip', layer)),
  });
}

function descriptor(mediaType: string, receipt: LayerReceipt): object {
  return { mediaType, digest: receipt.digest, size: receipt.sizeBytes };
}
