/** Keeps nothing but the rules' state: for measuring clients. */

import type { Digest } from '../digest.ts';
import { serverFailure } from './exception.ts';
import { RecordlessStore } from './recordless-store.ts';
import type { Store } from './store.ts';

export class DiscardStore extends RecordlessStore implements Store {
  readonly keepsContent: boolean = false;

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
