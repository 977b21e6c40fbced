/** Packs a tree into a layer file: a tar, compressed by gzip. */

import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import pLimit from 'p-limit';
import { create } from 'tar';
import type { InputTree } from './input-tree.ts';

export interface PackedLayer {
  readonly tree: InputTree;
  readonly path: string;
  readonly fileName: string;
  /** Of the tar. */
  readonly plainBytes: number;
  /** Of the layer file. */
  readonly sizeBytes: number;
  /** SHA-256 of the layer file. */
  readonly digest: string;
  /** SHA-256 of the tar, which an image's configuration lists. */
  readonly diffId: string;
}

async function packLayer(
  tree: InputTree,
  directory: string,
  signal: AbortSignal,
): Promise<PackedLayer> {
  const fileName = `${tree.name}.tar.gz`;
  const path = join(directory, fileName);
  const hash = createHash('sha256');
  const packedHash = createHash('sha256');
  let plainBytes = 0;
  await pipeline(
    // Without ./ a name that begins with @ would mean another archive.
    create(
      { cwd: tree.directory, portable: true },
      tree.entries.map((entry) => `./${entry}`),
    ),
    async function* tap(chunks: AsyncIterable<Uint8Array>) {
      for await (const chunk of chunks) {
        hash.update(chunk);
        plainBytes += chunk.length;
        yield chunk;
      }
    },
    createGzip({ level: tree.level, chunkSize: 256 * 1024 }),
    async function* tapPacked(chunks: AsyncIterable<Uint8Array>) {
      for await (const chunk of chunks) {
        packedHash.update(chunk);
        yield chunk;
      }
    },
    createWriteStream(path),
    { signal },
  );
  const { size } = await stat(path);
  const diffId = `sha256:${hash.digest('hex')}`;
  const digest = `sha256:${packedHash.digest('hex')}`;
  return { tree, path, fileName, plainBytes, sizeBytes: size, digest, diffId };
}

/**
 * Packs all trees. Where they compress to less than `bytesMin`, the largest ones are wrapped only:
 * a small `node_modules` must not make a small demo.
 */
export async function packLayers(
  trees: readonly InputTree[],
  bytesMin: number,
  directory: string,
  signal: AbortSignal,
  onPacked: (layer: PackedLayer) => void,
): Promise<PackedLayer[]> {
  // Two at once keep compression busy while the other one waits for the disk.
  const limit = pLimit(2);
  const pack = (tree: InputTree): Promise<PackedLayer> =>
    limit(async () => {
      const layer = await packLayer(tree, directory, signal);
      onPacked(layer);
      return layer;
    });
  const layers = await Promise.all(trees.map(pack));
  const bySize = (left: PackedLayer, right: PackedLayer): number =>
    right.sizeBytes - left.sizeBytes;
  for (const { tree } of layers.filter((layer) => layer.tree.level > 0).toSorted(bySize)) {
    if (layers.reduce((sum, layer) => sum + layer.sizeBytes, 0) >= bytesMin) break;
    const index = layers.findIndex((layer) => layer.tree === tree);
    layers[index] = await pack({ ...tree, level: 0 });
  }
  return layers.toSorted(bySize);
}
