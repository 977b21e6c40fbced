/** Small images and their forms on disk: OCI layouts and archives of the two kinds. */

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Digest, Platform } from '../../src/index.ts';
import { digestOf, makeImage, type MadeImage } from '../image/memory-image.ts';
import { type TarEntry, tarOf } from './tar-fixture.ts';

const TAR_LAYER = 'application/vnd.oci.image.layer.v1.tar';

/** An image together with what it was made of. */
export interface SampleImage extends MadeImage {
  readonly config: Buffer;
  /** Layers before compression. */
  readonly tars: readonly Buffer[];
  readonly diffIds: readonly Digest[];
}

export interface SampleSpec {
  /** Images of different names share nothing. Default `sample`. */
  readonly name?: string;
  /** Default 2; or the layers themselves. */
  readonly layers?: number | readonly Buffer[];
  /** Whether its layers are compressed. Default true. */
  readonly isCompressed?: boolean;
  /** Default linux/amd64. */
  readonly platform?: Platform;
}

export function sampleImage(spec: SampleSpec = {}): SampleImage {
  const { name = 'sample', layers = 2, isCompressed = true } = spec;
  const platform = spec.platform ?? { os: 'linux', architecture: 'amd64' };
  const tars =
    typeof layers === 'number'
      ? Array.from({ length: layers }, (_, index) => sampleLayer(`${name}-${index}`))
      : layers;
  const diffIds = tars.map(digestOf);
  const { os, architecture, variant } = platform;
  const config = Buffer.from(
    JSON.stringify({
      architecture,
      os,
      ...(variant !== undefined && { variant }),
      config: { Labels: { name } },
      rootfs: { type: 'layers', diff_ids: diffIds },
    }),
  );
  const made = makeImage({
    layers: isCompressed ? tars.map((tar) => gzipSync(tar)) : tars,
    config,
    ...(!isCompressed && { layerType: TAR_LAYER }),
    platform,
  });
  return { ...made, config, tars, diffIds };
}

/** A tar with one file. */
export function sampleLayer(name: string): Buffer {
  return tarOf([{ path: `etc/${name}`, body: `this is ${name}\n`.repeat(50) }]);
}

/** One line of a layout's `index.json`. */
export interface LayoutEntry {
  readonly image: MadeImage;
  /** `org.opencontainers.image.ref.name`. */
  readonly reference?: string;
  /** `io.containerd.image.name`. */
  readonly imageName?: string;
  /** Leaves the platform out of the entry, as many tools do. */
  readonly hidesPlatform?: boolean;
}

/** What a layout consists of, by path. `more`: images that are there without an entry. */
export function layoutFiles(
  entries: readonly LayoutEntry[],
  more: readonly MadeImage[] = [],
): Map<string, Uint8Array> {
  const index = { schemaVersion: 2, manifests: entries.map(indexEntry) };
  const files = new Map<string, Uint8Array>([
    ['oci-layout', Buffer.from('{"imageLayoutVersion":"1.0.0"}')],
    ['index.json', Buffer.from(JSON.stringify(index))],
  ]);
  for (const { content } of [...entries.map(({ image }) => image), ...more]) {
    for (const [digest, bytes] of content) files.set(blobPath(digest), bytes);
  }
  return files;
}

/** Writes a layout; the folder is made if need be. */
export async function writeOciLayout(
  folder: string,
  entries: readonly LayoutEntry[],
  more: readonly MadeImage[] = [],
): Promise<void> {
  await writeFiles(folder, layoutFiles(entries, more));
}

async function writeFiles(folder: string, files: ReadonlyMap<string, Uint8Array>): Promise<void> {
  await mkdir(join(folder, 'blobs', 'sha256'), { recursive: true });
  for (const [path, bytes] of files) await writeFile(join(folder, path), bytes);
}

/** A layout as one tar, as `skopeo copy ... oci-archive:` and BuildKit write it. */
export function ociArchive(
  entries: readonly LayoutEntry[],
  more: readonly MadeImage[] = [],
): Buffer {
  return tarOf([...layoutFiles(entries, more)].map(([path, body]) => ({ path, body })));
}

export interface DockerImage {
  readonly image: SampleImage;
  /** `name:tag` each; none for an image that was saved by its id. */
  readonly tags?: readonly string[];
}

/** `docker save` before version 25: a folder a layer; layers that are there already are links. */
export function oldDockerArchive(images: readonly DockerImage[]): Buffer {
  const entries: TarEntry[] = [];
  const manifest: object[] = [];
  const homes = new Map<Digest, string>();
  images.forEach(({ image, tags }, imageIndex) => {
    const layers = image.tars.map((tar, index) => {
      const folder = digestOf(Buffer.from(`${imageIndex}-${index}`)).slice('sha256:'.length);
      const path = `${folder}/layer.tar`;
      const home = homes.get(digestOf(tar));
      homes.set(digestOf(tar), home ?? path);
      entries.push(
        { path: `${folder}/` },
        { path: `${folder}/VERSION`, body: '1.0' },
        { path: `${folder}/json`, body: '{}' },
        home === undefined
          ? { path, body: tar }
          : { path, type: 'SymbolicLink', linkpath: `../${home}` },
      );
      return path;
    });
    const config = `${digestOf(image.config).slice('sha256:'.length)}.json`;
    entries.push({ path: config, body: image.config });
    manifest.push({ Config: config, RepoTags: tags ?? null, Layers: layers });
  });
  entries.push({ path: 'manifest.json', body: JSON.stringify(manifest) });
  entries.push({ path: 'repositories', body: '{}' });
  return tarOf(entries);
}

/** `docker save` from version 25 on: an OCI layout as well; the layers of both are the same files. */
export function newDockerArchive(images: readonly DockerImage[]): Buffer {
  const files = layoutFiles(
    images.map(({ image, tags }) => ({
      image,
      ...(tags?.[0] !== undefined && {
        imageName: `docker.io/library/${tags[0]}`,
        reference: tags[0].slice(tags[0].indexOf(':') + 1),
      }),
    })),
  );
  const manifest = images.map(({ image, tags }) => ({
    Config: blobPath(digestOf(image.config)),
    RepoTags: tags ?? null,
    Layers: layersOf(image).map(blobPath),
  }));
  files.set('manifest.json', Buffer.from(JSON.stringify(manifest)));
  return tarOf([...files].map(([path, body]) => ({ path, body })));
}

export function blobPath(digest: Digest): string {
  return `blobs/sha256/${digest.slice('sha256:'.length)}`;
}

function layersOf(image: MadeImage): readonly Digest[] {
  const text = new TextDecoder().decode(image.content.get(image.descriptor.digest));
  return (JSON.parse(text) as { layers: { digest: Digest }[] }).layers.map(({ digest }) => digest);
}

function indexEntry({ image, reference, imageName, hidesPlatform = false }: LayoutEntry): object {
  const { mediaType, digest, sizeBytes, platform } = image.descriptor;
  const annotations = {
    ...(imageName !== undefined && { 'io.containerd.image.name': imageName }),
    ...(reference !== undefined && { 'org.opencontainers.image.ref.name': reference }),
  };
  return {
    mediaType,
    digest,
    size: sizeBytes,
    ...(platform !== undefined && !hidesPlatform && { platform }),
    ...(Object.keys(annotations).length > 0 && { annotations }),
  };
}
