/** What a source is given while it is open, without threads. */

import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { onTestFinished } from 'vitest';
import type { Digest, ImageSource, ImageSourceContext, LayerSource } from '../../src/index.ts';
import { type ImageGraph, readGraph } from '../../src/image/image-graph.ts';

export interface TestContext extends ImageSourceContext {
  /** Labels of what was compressed, and hashed. */
  readonly compressed: string[];
  readonly hashed: string[];
  /** Names of the temporary folder, made so far or not. */
  readonly temporaryPath: () => string | undefined;
}

export const signal: AbortSignal = new AbortController().signal;

export function newContext(
  compression: ImageSourceContext['compression'] = { kind: 'gzip', level: 1 },
): TestContext {
  const compressed: string[] = [];
  const hashed: string[] = [];
  let folder: string | undefined;
  const temporaryFolder = (): string => {
    folder ??= mkdtempSync(join(tmpdir(), 'longshore-temporary-'));
    return folder;
  };
  onTestFinished(() => {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });
  return {
    compression,
    compressed,
    hashed,
    temporaryPath: () => folder,
    temporaryDirectory: () => Promise.resolve(temporaryFolder()),
    hash: ({ path, offsetBytes, sizeBytes, label }) => {
      hashed.push(label);
      return Promise.resolve(
        sha256(readFileSync(path).subarray(offsetBytes, offsetBytes + sizeBytes)),
      );
    },
    compress: ({ path, offsetBytes, sizeBytes, label }) => {
      const input = readFileSync(path).subarray(offsetBytes, offsetBytes + sizeBytes);
      const output = gzipSync(input, { level: 1 });
      const outputPath = join(temporaryFolder(), `${compressed.length}.layer`);
      compressed.push(label);
      writeFileSync(outputPath, output);
      return Promise.resolve({
        path: outputPath,
        digest: sha256(output),
        sizeBytes: output.length,
        diffId: sha256(input),
      });
    },
  };
}

/** An image that was opened, and everything in it that was read. */
export interface ReadImage {
  readonly graph: ImageGraph;
  /** Manifests and blobs by their digests. */
  readonly content: ReadonlyMap<Digest, Uint8Array>;
}

/** Opens the image and reads all of it, as a push would. */
export async function readImage(
  source: ImageSource,
  options: { readonly context?: ImageSourceContext; readonly referrers?: boolean } = {},
): Promise<ReadImage> {
  const { context = newContext(), referrers = false } = options;
  const image = await source.open(context, signal);
  try {
    const graph = await readGraph(
      image,
      { source: source.label, platforms: [], referrers },
      signal,
    );
    const content = new Map<Digest, Uint8Array>();
    for (const { manifest } of graph.nodes) content.set(manifest.digest, manifest.bytes);
    const blobs = [...graph.blobs.keys()].map((digest) => {
      const { descriptor } = graph.blobs.get(digest) ?? {};
      if (descriptor === undefined) throw new Error(`no blob ${digest}`);
      return [digest, image.blob(descriptor)] as const;
    });
    for (const [digest, blob] of blobs) content.set(digest, await readLayer(blob));
    return { graph, content };
  } finally {
    await image.close();
  }
}

/** All bytes of a layer, by whichever of its ways. */
async function readLayer(source: LayerSource): Promise<Uint8Array> {
  const opened = await source.open(signal);
  try {
    const { path, pathOffsetBytes = 0, sizeBytes = 0 } = opened;
    if (path !== undefined) {
      return readFileSync(path).subarray(pathOffsetBytes, pathOffsetBytes + sizeBytes);
    }
    const bytes = new Uint8Array(sizeBytes);
    await opened.read(bytes, 0, signal);
    return bytes;
  } finally {
    await opened.close();
  }
}

function sha256(bytes: Uint8Array): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
