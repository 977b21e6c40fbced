/** Where the emulator keeps what must outlive a request. Knows bytes and records, no ECR rules. */

import type { Digest } from '../digest.ts';
import type { RepositorySettings, StoredLayer } from './repository-state.ts';
import type { PartRange, UploadIdentity } from './upload-state.ts';

/** An image as it is kept: the manifest's own text and what it cannot say. */
export interface ImageRecord {
  readonly digest: Digest;
  readonly text: string;
  readonly mediaType: string;
  readonly pushedAtMs: number;
}

export interface RepositoryRecord {
  readonly settings: RepositorySettings;
  readonly layers: readonly StoredLayer[];
  readonly images: readonly ImageRecord[];
  readonly tags: ReadonlyMap<string, Digest>;
}

export interface UploadRecord {
  readonly identity: UploadIdentity;
  readonly parts: readonly PartRange[];
}

/** All that survived the last run. */
export interface StoredRegistry {
  readonly repositories: readonly RepositoryRecord[];
  readonly uploads: readonly UploadRecord[];
  readonly settings: ReadonlyMap<string, string>;
}

export interface Store {
  /** False if content is only counted: parts need not be decoded and cannot be read back. */
  readonly keepsContent: boolean;
  load(): Promise<StoredRegistry>;

  saveRepository(settings: RepositorySettings): Promise<void>;
  deleteRepository(name: string): Promise<void>;
  saveLayer(repositoryName: string, layer: StoredLayer): Promise<void>;
  saveImage(repositoryName: string, image: ImageRecord): Promise<void>;
  deleteImage(repositoryName: string, digest: Digest): Promise<void>;
  saveTag(repositoryName: string, tag: string, digest: Digest): Promise<void>;
  deleteTag(repositoryName: string, tag: string): Promise<void>;
  saveSetting(name: string, value: string): Promise<void>;

  createUpload(identity: UploadIdentity): Promise<void>;
  /** Appends a part's bytes; when it resolves they survive a crash of the process. */
  appendPart(uploadId: string, part: PartRange, slabs: readonly Buffer[]): Promise<void>;
  /** SHA-256 of the whole content; undefined if content is only counted. */
  digestUpload(uploadId: string): Promise<Digest | undefined>;
  /** Turns the upload's content into the blob `digest` and forgets the upload. */
  keepUpload(uploadId: string, digest: Digest): Promise<void>;
  dropUpload(uploadId: string): Promise<void>;

  /** Bytes `[firstByte, endByte)` of a blob. */
  readBlob(digest: Digest, firstByte: number, endByte: number): AsyncIterable<Uint8Array>;
}
