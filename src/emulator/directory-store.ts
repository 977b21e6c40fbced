/**
 * Keeps everything in a directory, one fact a file, so that no fact is ever rewritten with others:
 *
 *     blobs/sha256/<hex>                   layers, shared by all repositories
 *     repositories/<key>/repository.json   settings; <key> is the SHA-256 of the name
 *     repositories/<key>/layers/<hex>      size and time
 *     repositories/<key>/images/<hex>      media type and time, then the manifest's own text
 *     repositories/<key>/tags/<key>        tag and digest
 *     uploads/<id>/{upload.json,parts,data}
 *     settings/<name>
 *
 * Files appear by rename. `parts` alone grows: a line per part, written after its data, so a crash
 * leaves at most a torn last line and data behind the last whole part, which loading cuts off.
 */

import { createHash } from 'node:crypto';
import type { Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { appendFile, link, mkdir, open, readFile, readdir, rename, rm } from 'node:fs/promises';
import { truncate, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { digestFromHex, isDigest } from '../digest.ts';
import type { Digest } from '../digest.ts';
import { DOWNLOAD_CHUNK_SIZE_BYTES } from './emulator-limits.ts';
import type { RepositorySettings, StoredLayer } from './repository-state.ts';
import type {
  ImageRecord,
  RepositoryRecord,
  Store,
  StoredRegistry,
  UploadRecord,
} from './store.ts';
import type { PartRange, UploadIdentity } from './upload-state.ts';

interface RunningHash {
  readonly hash: Hash;
  sizeBytes: number;
}

export class DirectoryStore implements Store {
  readonly keepsContent: boolean = true;
  readonly #root: string;
  /** Hashes of uploads begun in this run; those of an earlier run are read again at their end. */
  readonly #hashes: Map<string, RunningHash> = new Map();
  #temporaryCount = 0;

  constructor(root: string) {
    this.#root = root;
  }

  async load(): Promise<StoredRegistry> {
    for (const folder of ['blobs/sha256', 'repositories', 'uploads', 'settings']) {
      await mkdir(join(this.#root, folder), { recursive: true });
    }
    await rm(join(this.#root, 'temporary'), { recursive: true, force: true });
    await mkdir(join(this.#root, 'temporary'));
    const repositories: RepositoryRecord[] = [];
    for (const key of await readdir(join(this.#root, 'repositories'))) {
      const record = await this.#loadRepository(join(this.#root, 'repositories', key));
      if (record !== undefined) repositories.push(record);
    }
    const uploads: UploadRecord[] = [];
    for (const uploadId of await readdir(join(this.#root, 'uploads'))) {
      const record = await this.#loadUpload(uploadId);
      if (record !== undefined) uploads.push(record);
    }
    uploads.sort((left, right) => left.identity.startedAtMs - right.identity.startedAtMs);
    const settings = new Map<string, string>();
    for (const name of await readdir(join(this.#root, 'settings'))) {
      settings.set(name, await readFile(join(this.#root, 'settings', name), 'utf8'));
    }
    return { repositories, uploads, settings };
  }

  async saveRepository(settings: RepositorySettings): Promise<void> {
    const folder = this.#repository(settings.repositoryName);
    for (const kind of ['layers', 'images', 'tags']) {
      await mkdir(join(folder, kind), { recursive: true });
    }
    await this.#write(join(folder, 'repository.json'), JSON.stringify(settings));
  }

  async deleteRepository(name: string): Promise<void> {
    // The settings go first: a folder without them is no repository to `load`.
    await rm(join(this.#repository(name), 'repository.json'), { force: true });
    await rm(this.#repository(name), { recursive: true, force: true });
  }

  async saveLayer(repositoryName: string, layer: StoredLayer): Promise<void> {
    const path = join(this.#repository(repositoryName), 'layers', hexOf(layer.digest));
    await this.#write(path, JSON.stringify(layer));
  }

  async saveImage(repositoryName: string, image: ImageRecord): Promise<void> {
    const path = join(this.#repository(repositoryName), 'images', hexOf(image.digest));
    const { text, ...rest } = image;
    await this.#write(path, `${JSON.stringify(rest)}\n${text}`);
  }

  async deleteImage(repositoryName: string, digest: Digest): Promise<void> {
    const path = join(this.#repository(repositoryName), 'images', hexOf(digest));
    await rm(path, { force: true });
  }

  async saveTag(repositoryName: string, tag: string, digest: Digest): Promise<void> {
    const path = join(this.#repository(repositoryName), 'tags', keyOf(tag));
    await this.#write(path, JSON.stringify({ tag, digest }));
  }

  async deleteTag(repositoryName: string, tag: string): Promise<void> {
    await rm(join(this.#repository(repositoryName), 'tags', keyOf(tag)), { force: true });
  }

  async saveSetting(name: string, value: string): Promise<void> {
    await this.#write(join(this.#root, 'settings', name), value);
  }

  async createUpload(identity: UploadIdentity): Promise<void> {
    const folder = this.#upload(identity.uploadId);
    await mkdir(folder);
    await writeFile(join(folder, 'data'), '');
    await writeFile(join(folder, 'parts'), '');
    await this.#write(join(folder, 'upload.json'), JSON.stringify(identity));
    this.#hashes.set(identity.uploadId, { hash: createHash('sha256'), sizeBytes: 0 });
  }

  async appendPart(uploadId: string, part: PartRange, slabs: readonly Buffer[]): Promise<void> {
    const folder = this.#upload(uploadId);
    const file = await open(join(folder, 'data'), 'a');
    try {
      for (const slab of slabs) await writeWhole(file, slab);
    } finally {
      await file.close();
    }
    await appendFile(join(folder, 'parts'), `${part.firstByte} ${part.endByte}\n`);
    const running = this.#hashes.get(uploadId);
    if (running === undefined) return;
    for (const slab of slabs) running.hash.update(slab);
    running.sizeBytes += part.endByte - part.firstByte;
  }

  async digestUpload(uploadId: string): Promise<Digest | undefined> {
    const running = this.#hashes.get(uploadId);
    if (running !== undefined) return digestFromHex(running.hash.copy().digest('hex'));
    const hash = createHash('sha256');
    const path = join(this.#upload(uploadId), 'data');
    for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
    return digestFromHex(hash.digest('hex'));
  }

  async keepUpload(uploadId: string, digest: Digest): Promise<void> {
    // A link, not a rename: until the layer is on record the upload must stay whole.
    try {
      await link(join(this.#upload(uploadId), 'data'), this.#blob(digest));
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
  }

  async dropUpload(uploadId: string): Promise<void> {
    this.#hashes.delete(uploadId);
    await rm(join(this.#upload(uploadId), 'upload.json'), { force: true });
    await rm(this.#upload(uploadId), { recursive: true, force: true });
  }

  async *readBlob(digest: Digest, firstByte: number, endByte: number): AsyncIterable<Uint8Array> {
    if (firstByte >= endByte) return;
    const stream = createReadStream(this.#blob(digest), {
      start: firstByte,
      end: endByte - 1,
      highWaterMark: DOWNLOAD_CHUNK_SIZE_BYTES,
    });
    for await (const chunk of stream) yield chunk as Buffer;
  }

  async #loadRepository(folder: string): Promise<RepositoryRecord | undefined> {
    const settings = await readJson<RepositorySettings>(join(folder, 'repository.json'));
    if (settings === undefined) {
      await rm(folder, { recursive: true, force: true });
      return undefined;
    }
    const layers: StoredLayer[] = [];
    for (const name of await readdir(join(folder, 'layers'))) {
      const layer = await readJson<StoredLayer>(join(folder, 'layers', name));
      if (layer !== undefined) layers.push(layer);
    }
    const images: ImageRecord[] = [];
    for (const name of await readdir(join(folder, 'images'))) {
      const content = await readFile(join(folder, 'images', name), 'utf8');
      const newline = content.indexOf('\n');
      const record = JSON.parse(content.slice(0, newline)) as Omit<ImageRecord, 'text'>;
      images.push({ ...record, text: content.slice(newline + 1) });
    }
    const tags = new Map<string, Digest>();
    for (const name of await readdir(join(folder, 'tags'))) {
      const record = await readJson<{ tag: string; digest: Digest }>(join(folder, 'tags', name));
      if (record !== undefined && isDigest(record.digest)) tags.set(record.tag, record.digest);
    }
    return { settings, layers, images, tags };
  }

  async #loadUpload(uploadId: string): Promise<UploadRecord | undefined> {
    const folder = this.#upload(uploadId);
    const identity = await readJson<UploadIdentity>(join(folder, 'upload.json'));
    if (identity === undefined) {
      await rm(folder, { recursive: true, force: true });
      return undefined;
    }
    const text = await readFile(join(folder, 'parts'), 'utf8');
    const whole = text.slice(0, text.lastIndexOf('\n') + 1);
    const parts = whole
      .split('\n')
      .slice(0, -1)
      .map((line) => {
        const [firstByte = 0, endByte = 0] = line.split(' ').map(Number);
        return { firstByte, endByte };
      });
    const sizeBytes = parts.reduce((sum, part) => sum + part.endByte - part.firstByte, 0);
    await truncate(join(folder, 'parts'), Buffer.byteLength(whole));
    await truncate(join(folder, 'data'), sizeBytes);
    return { identity, parts };
  }

  async #write(path: string, content: string): Promise<void> {
    this.#temporaryCount += 1;
    const temporary = join(this.#root, 'temporary', String(this.#temporaryCount));
    await writeFile(temporary, content);
    await rename(temporary, path).catch(async (error: unknown) => {
      await unlink(temporary);
      throw error;
    });
  }

  #repository(name: string): string {
    return join(this.#root, 'repositories', keyOf(name));
  }

  #upload(uploadId: string): string {
    return join(this.#root, 'uploads', uploadId);
  }

  #blob(digest: Digest): string {
    return join(this.#root, 'blobs', 'sha256', hexOf(digest));
  }
}

async function writeWhole(file: Awaited<ReturnType<typeof open>>, bytes: Buffer): Promise<void> {
  for (let position = 0; position < bytes.length;) {
    const { bytesWritten } = await file.write(bytes, position);
    position += bytesWritten;
  }
}

async function readJson<Value>(path: string): Promise<Value | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Value;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function hexOf(digest: Digest): string {
  return digest.slice('sha256:'.length);
}

// Names may be longer than a file name and differ in case only where the file system does not.
function keyOf(name: string): string {
  return createHash('sha256').update(name).digest('hex');
}
