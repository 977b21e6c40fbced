import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { digestOf } from './fixture.ts';
import { IMAGE_TYPE, INDEX_TYPE } from './registry-client.ts';

interface Descriptor {
  readonly mediaType: string;
  readonly digest: `sha256:${string}`;
  readonly size: number;
}

/** Writes a layout with one index, tagged `multi`, of an image for each of two architectures. */
export async function writeLayout(folder: string, layerSizeBytes: number): Promise<Descriptor> {
  await mkdir(join(folder, 'blobs', 'sha256'), { recursive: true });
  await writeFile(join(folder, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  const add = async (mediaType: string, bytes: Buffer): Promise<Descriptor> => {
    const digest = digestOf(bytes);
    await writeFile(blobPath(folder, digest), bytes);
    return { mediaType, digest, size: bytes.length };
  };
  const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
  const manifests: object[] = [];
  for (const architecture of ['amd64', 'arm64']) {
    const content = randomBytes(layerSizeBytes);
    const layer = await add(
      'application/vnd.oci.image.layer.v1.tar+gzip',
      gzipSync(content, { level: 0 }),
    );
    const config = await add(
      'application/vnd.oci.image.config.v1+json',
      json({
        architecture,
        os: 'linux',
        config: {},
        rootfs: { type: 'layers', diff_ids: [digestOf(content)] },
      }),
    );
    const image = { schemaVersion: 2, mediaType: IMAGE_TYPE, config, layers: [layer] };
    const manifest = await add(IMAGE_TYPE, json(image));
    manifests.push({ ...manifest, platform: { architecture, os: 'linux' } });
  }
  const index = await add(INDEX_TYPE, json({ schemaVersion: 2, mediaType: INDEX_TYPE, manifests }));
  const annotations = { 'org.opencontainers.image.ref.name': 'multi' };
  const entry = { schemaVersion: 2, manifests: [{ ...index, annotations }] };
  await writeFile(join(folder, 'index.json'), JSON.stringify(entry));
  return index;
}

export function readBlob(folder: string, digest: string): Promise<Buffer> {
  return readFile(blobPath(folder, digest));
}

function blobPath(folder: string, digest: string): string {
  return join(folder, 'blobs', 'sha256', digest.slice('sha256:'.length));
}
