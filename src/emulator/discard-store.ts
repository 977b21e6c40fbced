/** Keeps nothing but the rules' state: for measuring clients. */

import type { Digest } from '../digest.ts';
import { serverFailure } from './exception.ts';
import type { Store, StoredRegistry } from './store.ts';

export class DiscardStore implements Store {
  readonly keepsContent: boolean = false;

  async load(): Promise<StoredRegistry> {
    return { repositories: [], uploads: [], settings: new Map() };
  }

  async saveRepository(): Promise<void> {}
  async deleteRepository(): Promise<void> {}
  async saveLayer(): Promise<void> {}
  async saveImage(): Promise<void> {}
  async deleteImage(): Promise<void> {}
  async saveTag(): Promise<void> {}
  async deleteTag(): Promise<void> {}
  async saveSetting(): Promise<void> {}
  async createUpload(): Promise<void> {}
  async appendPart(): Promise<void> {}
  async keepUpload(): Promise<void> {}
  async dropUpload(): Promise<void> {}

  async digestUpload(): Promise<Digest | undefined> {
    return undefined;
  }

  // oxlint-disable-next-line require-yield
  async *readBlob(digest: Digest): AsyncIterable<Uint8Array> {
    throw serverFailure(`The emulator was told to discard ${digest}`);
  }
}
