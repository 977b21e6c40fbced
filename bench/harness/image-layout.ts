/** OCI image layouts over layer files, which stay where they are: their names here are hard links. */

import { createHash } from 'node:crypto';
import { link, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LayerFile } from './protocol.ts';

const OCI = 'application/vnd.oci.image';

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

export interface ImageLayout {
  readonly folder: string;
  readonly layers: readonly LayerFile[];
  /** Digest of the image's manifest. */
  readonly digest: string;
}

/** Writes an image of these layers into a folder that does not exist yet. */
export async function writeImageLayout(
  folder: string,
  layers: readonly LayerFile[],
): Promise<ImageLayout> {
  const blobs = join(folder, 'blobs', 'sha256');
  await mkdir(blobs, { recursive: true });
  const put = async (mediaType: string, document: object): Promise<Descriptor> => {
    const text = JSON.stringify(document);
    const hex = createHash('sha256').update(text).digest('hex');
    await writeFile(join(blobs, hex), text);
    return { mediaType, digest: `sha256:${hex}`, size: Buffer.byteLength(text) };
  };
  for (const { path, digest } of layers) {
    await link(path, join(blobs, digest.slice('sha256:'.length)));
  }
  const config = await put(`${OCI}.config.v1+json`, {
    architecture: 'amd64',
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: layers.map(({ digest }) => digest) },
  });
  const manifest = await put(`${OCI}.manifest.v1+json`, {
    schemaVersion: 2,
    mediaType: `${OCI}.manifest.v1+json`,
    config,
    layers: layers.map(({ digest, sizeBytes }) => ({
      mediaType: `${OCI}.layer.v1.tar+gzip`,
      digest,
      size: sizeBytes,
    })),
  });
  // Some programs find an image only by its tag.
  const annotations = { 'org.opencontainers.image.ref.name': 'latest' };
  await writeFile(
    join(folder, 'index.json'),
    JSON.stringify({ schemaVersion: 2, manifests: [{ ...manifest, annotations }] }),
  );
  await writeFile(join(folder, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  return { folder, layers, digest: manifest.digest };
}
