/** Writes images that were made in memory as OCI image layouts, right ones and wrong ones. */

import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Descriptor } from '../../src/index.ts';
import type { MadeImage } from '../image/memory-image.ts';

/** What a folder or an archive is to hold, by name. */
export type Files = ReadonlyMap<string, Uint8Array>;

export interface LayoutEntry {
  readonly image: MadeImage;
  /** `org.opencontainers.image.ref.name`. */
  readonly name?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

const REF_NAME = 'org.opencontainers.image.ref.name';

export function encode(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

/** The files of a layout with these entries. */
export function layoutFiles(...entries: readonly LayoutEntry[]): Map<string, Uint8Array> {
  const manifests = entries.map(({ image, name, annotations }) => ({
    ...jsonDescriptor(image.descriptor),
    ...((name !== undefined || annotations !== undefined) && {
      annotations: { ...(name !== undefined && { [REF_NAME]: name }), ...annotations },
    }),
  }));
  const files = new Map<string, Uint8Array>([
    ['oci-layout', encode({ imageLayoutVersion: '1.0.0' })],
    ['index.json', encode({ schemaVersion: 2, manifests })],
  ]);
  for (const { image } of entries) {
    for (const [digest, bytes] of image.content) files.set(blobName(digest), bytes);
  }
  return files;
}

export function blobName(digest: string): string {
  return `blobs/${digest.replace(':', '/')}`;
}

/** An empty folder until the test ends. */
export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'longshore-source-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Writes the files to a new folder, which is removed when the test ends. */
export function writeFiles(files: Files): string {
  const folder = newFolder();
  for (const [name, bytes] of files) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, bytes);
  }
  return folder;
}

function jsonDescriptor({ mediaType, digest, sizeBytes, platform }: Descriptor) {
  return { mediaType, digest, size: sizeBytes, ...(platform !== undefined && { platform }) };
}
