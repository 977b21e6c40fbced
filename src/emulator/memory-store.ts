/** Keeps everything in memory, up to a bound. */

import { createHash } from 'node:crypto';
import type { Hash } from 'node:crypto';
import { digestFromHex } from '../digest.ts';
import type { Digest } from '../digest.ts';
import { MEMORY_STORE_MAX_BYTES } from './emulator-limits.ts';
import { serverFailure } from './exception.ts';
import { RecordlessStore } from './recordless-store.ts';
import type { Store } from './store.ts';
import type { PartRange, UploadIdentity } from './upload-state.ts';

interface Upload {
  readonly hash: Hash;
  readonly slabs: Buffer[];
  sizeBytes: number;
}

interface Blob {
  readonly slabs: readonly Buffer[];
  readonly sizeBytes: number;
}

export class MemoryStore extends RecordlessStore implements Store {
  readonly keepsContent: boolean = true;
  readonly #uploads: Map<string, Upload> = new Map();
  readonly #blobs: Map<Digest, Blob> = new Map();
  #heldBytes = 0;

  async createUpload(identity: UploadIdentity): Promise<void> {
    this.#uploads.set(identity.uploadId, { hash: createHash('sha256'), slabs: [], sizeBytes: 0 });
  }

  async appendPart(uploadId: string, part: PartRange, slabs: readonly Buffer[]): Promise<void> {
    const sizeBytes = part.endByte - part.firstByte;
    if (this.#heldBytes + sizeBytes > MEMORY_STORE_MAX_BYTES) {
      throw serverFailure('The emulator has no memory left: start it with a data directory');
    }
    const upload = this.#upload(uploadId);
    for (const slab of slabs) {
      upload.hash.update(slab);
      upload.slabs.push(slab);
    }
    upload.sizeBytes += sizeBytes;
    this.#heldBytes += sizeBytes;
  }

  async digestUpload(uploadId: string): Promise<Digest | undefined> {
    return digestFromHex(this.#upload(uploadId).hash.copy().digest('hex'));
  }

  async keepUpload(uploadId: string, digest: Digest): Promise<void> {
    const { slabs, sizeBytes } = this.#upload(uploadId);
    this.#uploads.delete(uploadId);
    if (this.#blobs.has(digest)) this.#heldBytes -= sizeBytes;
    else this.#blobs.set(digest, { slabs, sizeBytes });
  }

  async dropUpload(uploadId: string): Promise<void> {
    this.#heldBytes -= this.#uploads.get(uploadId)?.sizeBytes ?? 0;
    this.#uploads.delete(uploadId);
  }

  async *readBlob(digest: Digest, firstByte: number, endByte: number): AsyncIterable<Uint8Array> {
    const blob = this.#blobs.get(digest);
    if (blob === undefined) throw serverFailure(`No content is kept for ${digest}`);
    let position = 0;
    for (const slab of blob.slabs) {
      const start = Math.max(0, firstByte - position);
      const end = Math.min(slab.length, endByte - position);
      if (start < end) yield slab.subarray(start, end);
      position += slab.length;
      if (position >= endByte) return;
    }
  }

  #upload(uploadId: string): Upload {
    const upload = this.#uploads.get(uploadId);
    if (upload === undefined) throw serverFailure(`No content is kept for upload ${uploadId}`);
    return upload;
  }
}
