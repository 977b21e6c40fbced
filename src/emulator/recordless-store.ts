/** A store whose records live in the registry's own maps: there is no second place to keep them. */

import type { StoredRegistry } from './store.ts';

export abstract class RecordlessStore {
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
}
