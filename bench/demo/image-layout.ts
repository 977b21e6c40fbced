/** An OCI image layout on disk, of layers that were packed here. */

import { createHash } from 'node:crypto';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PackedLayer } from './layer-pack.ts';

const OCI = 'application/vnd.oci.image';

interface Content {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

/** A layer of the image and where its bytes are. */
export interface StoredLayer {
  readonly name: string;
  readonly digest: string;
  readonly path: string;
  readonly sizeBytes: number;
}

export class ImageLayout {
  readonly path: string;
  readonly #layers: (StoredLayer & { readonly diffId: string })[] = [];

  constructor(path: string) {
    this.path = path;
  }

  get layers(): readonly StoredLayer[] {
    return this.#layers;
  }

  /** Moves a packed layer into the layout, on top of those that are there. */
  async add(layer: PackedLayer): Promise<void> {
    const { digest, diffId, sizeBytes, fileName } = layer;
    const path = await this.#blobPath(digest);
    await rename(layer.path, path);
    this.#layers.push({ name: fileName, digest, path, sizeBytes, diffId });
  }

  /** Makes an image of the layers there are; resolves with its manifest's text. */
  async write(): Promise<string> {
    const config = await this.#put(`${OCI}.config.v1+json`, {
      architecture: process.arch === 'x64' ? 'amd64' : process.arch,
      os: 'linux',
      config: { Cmd: ['node'] },
      rootfs: { type: 'layers', diff_ids: this.#layers.map(({ diffId }) => diffId) },
    });
    const mediaType = `${OCI}.manifest.v1+json`;
    const manifest = {
      schemaVersion: 2,
      mediaType,
      config,
      layers: this.#layers.map(({ digest, sizeBytes }) => ({
        mediaType: `${OCI}.layer.v1.tar+gzip`,
        digest,
        size: sizeBytes,
      })),
    };
    const manifests = [await this.#put(mediaType, manifest)];
    await writeFile(join(this.path, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests }));
    await writeFile(join(this.path, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
    return JSON.stringify(manifest);
  }

  async #put(mediaType: string, document: object): Promise<Content> {
    const text = JSON.stringify(document);
    const digest = `sha256:${createHash('sha256').update(text).digest('hex')}`;
    await writeFile(await this.#blobPath(digest), text);
    return { mediaType, digest, size: Buffer.byteLength(text) };
  }

  async #blobPath(digest: string): Promise<string> {
    const folder = join(this.path, 'blobs', 'sha256');
    await mkdir(folder, { recursive: true });
    return join(folder, digest.slice('sha256:'.length));
  }
}
