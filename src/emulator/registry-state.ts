/** All repositories and open uploads of one registry, in step with the store. */

import { randomUUID } from 'node:crypto';
import type { Digest } from '../digest.ts';
import { MANIFESTS_MAX_BYTES, OPEN_UPLOADS_MAX, REPOSITORIES_MAX } from './emulator-limits.ts';
import { EcrException, limitExceeded, serverFailure } from './exception.ts';
import { KeyedLock } from './lock.ts';
import { parseManifest } from './manifest.ts';
import { RepositoryState } from './repository-state.ts';
import type { RepositorySettings, StoredLayer } from './repository-state.ts';
import type { Store } from './store.ts';
import { UploadState } from './upload-state.ts';

/** Names a repository as every request does. */
export interface RepositoryReference {
  readonly repositoryName: string;
  readonly registryId?: string;
}

export class RegistryState {
  readonly registryId: string;
  readonly store: Store;
  readonly lock: KeyedLock = new KeyedLock();
  readonly repositories: Map<string, RepositoryState> = new Map();
  readonly uploads: Map<string, UploadState> = new Map();
  readonly settings: Map<string, string> = new Map();
  readonly #uploadExpiryMs: number;

  constructor(registryId: string, store: Store, uploadExpiryMs: number) {
    this.registryId = registryId;
    this.store = store;
    this.#uploadExpiryMs = uploadExpiryMs;
  }

  /** Takes over what the store kept from the last run. */
  async load(): Promise<void> {
    const stored = await this.store.load();
    for (const record of stored.repositories) {
      const repository = new RepositoryState(record.settings);
      for (const layer of record.layers) repository.layers.set(layer.digest, layer);
      for (const { digest, mediaType, pushedAtMs, text } of record.images) {
        const manifest = parseManifest(text, mediaType);
        repository.addImage({ digest, text, manifest, pushedAtMs });
      }
      for (const [tag, digest] of record.tags) repository.tags.set(tag, digest);
      this.repositories.set(repository.name, repository);
    }
    for (const { identity, parts } of stored.uploads) {
      this.uploads.set(identity.uploadId, new UploadState(identity, parts));
    }
    for (const [name, value] of stored.settings) this.settings.set(name, value);
  }

  /** @throws EcrException `RepositoryNotFoundException` */
  repository({ repositoryName, registryId }: RepositoryReference): RepositoryState {
    const found = this.repositories.get(repositoryName);
    const id = registryId ?? this.registryId;
    if (found !== undefined && id === this.registryId) return found;
    throw new EcrException(
      'RepositoryNotFoundException',
      `The repository with name '${repositoryName}' does not exist in the registry with id '${id}'`,
    );
  }

  async createRepository(settings: RepositorySettings): Promise<RepositoryState> {
    return this.lock.run(`repository:${settings.repositoryName}`, async () => {
      if (this.repositories.has(settings.repositoryName)) {
        throw new EcrException(
          'RepositoryAlreadyExistsException',
          `The repository with name '${settings.repositoryName}' already exists in the registry ` +
            `with id '${this.registryId}'`,
        );
      }
      if (this.repositories.size >= REPOSITORIES_MAX) {
        throw limitExceeded(
          `The limit of ${REPOSITORIES_MAX} repositories per registry is exceeded`,
        );
      }
      await this.store.saveRepository(settings);
      const repository = new RepositoryState(settings);
      this.repositories.set(repository.name, repository);
      return repository;
    });
  }

  async deleteRepository(reference: RepositoryReference, force: boolean): Promise<RepositoryState> {
    return this.lock.run(`repository:${reference.repositoryName}`, async () => {
      const repository = this.repository(reference);
      if (repository.images.size > 0 && !force) {
        throw new EcrException(
          'RepositoryNotEmptyException',
          `The repository with name '${repository.name}' in registry with id ` +
            `'${this.registryId}' cannot be deleted because it still contains images`,
        );
      }
      await this.store.deleteRepository(repository.name);
      this.repositories.delete(repository.name);
      for (const upload of this.uploads.values()) {
        if (upload.identity.repositoryName === repository.name) {
          await this.dropUpload(upload.identity.uploadId);
        }
      }
      return repository;
    });
  }

  async startUpload(reference: RepositoryReference, nowMs: number): Promise<UploadState> {
    const { name } = this.repository(reference);
    await this.#dropExpired(nowMs);
    if (this.uploads.size >= OPEN_UPLOADS_MAX) {
      throw serverFailure(`The emulator keeps at most ${OPEN_UPLOADS_MAX} open uploads`);
    }
    const upload = new UploadState({
      uploadId: randomUUID(),
      repositoryName: name,
      registryId: this.registryId,
      startedAtMs: nowMs,
    });
    this.uploads.set(upload.identity.uploadId, upload);
    await this.store.createUpload(upload.identity);
    return upload;
  }

  /** @throws EcrException `UploadNotFoundException`, also for an upload of another repository. */
  upload(repository: RepositoryState, uploadId: string, nowMs: number): UploadState {
    // UUIDs are the same in either case; ours are written in lower case.
    const upload = this.uploads.get(uploadId.toLowerCase());
    if (
      upload !== undefined &&
      upload.identity.repositoryName === repository.name &&
      !this.#isExpired(upload, nowMs)
    ) {
      return upload;
    }
    throw new EcrException(
      'UploadNotFoundException',
      `The upload with id '${uploadId}' could not be found in the repository with name ` +
        `'${repository.name}' in registry with id '${this.registryId}'`,
    );
  }

  async dropUpload(uploadId: string): Promise<void> {
    this.uploads.delete(uploadId);
    await this.store.dropUpload(uploadId);
  }

  /** @throws EcrException `ServerException` where one more manifest would be too many for memory */
  assertRoomFor(manifestText: string): void {
    let characters = manifestText.length;
    for (const { manifestsCharacters } of this.repositories.values()) {
      characters += manifestsCharacters;
    }
    if (characters <= MANIFESTS_MAX_BYTES) return;
    throw serverFailure(`The emulator keeps at most ${MANIFESTS_MAX_BYTES} bytes of manifests`);
  }

  /** Ends an upload as a layer; the digest has been checked. */
  async keepLayer(
    repository: RepositoryState,
    upload: UploadState,
    digest: Digest,
    nowMs: number,
  ): Promise<StoredLayer> {
    return this.lock.run(`repository:${repository.name}`, async () => {
      const { uploadId } = upload.identity;
      if (repository.layers.has(digest)) {
        await this.dropUpload(uploadId);
        throw new EcrException(
          'LayerAlreadyExistsException',
          `The layer with digest '${digest}' already exists in the repository with name ` +
            `'${repository.name}' in registry with id '${this.registryId}'`,
        );
      }
      const layer = { digest, sizeBytes: upload.nextByte, completedAtMs: nowMs };
      await this.store.keepUpload(uploadId, digest);
      await this.store.saveLayer(repository.name, layer);
      await this.dropUpload(uploadId);
      repository.layers.set(digest, layer);
      return layer;
    });
  }

  /**
   * Gives `target` a layer of `source` without its bytes, if ECR would: the account allows it, an
   * image of `source` names the layer and both are encrypted alike (user guide, H).
   */
  async mountLayer(
    target: RepositoryState,
    source: RepositoryState | undefined,
    digest: Digest,
    nowMs: number,
  ): Promise<boolean> {
    const layer = source?.layers.get(digest);
    if (source === undefined || layer === undefined || !source.isReferenced(digest)) return false;
    if (this.settings.get('BLOB_MOUNTING') !== 'ENABLED') return false;
    const [left, right] = [source, target].map(({ settings }) => settings.encryptionConfiguration);
    if (left?.encryptionType !== right?.encryptionType || left?.kmsKey !== right?.kmsKey) {
      return false;
    }
    return this.lock.run(`repository:${target.name}`, async () => {
      if (target.layers.has(digest)) return true;
      const mounted = { ...layer, completedAtMs: nowMs };
      await this.store.saveLayer(target.name, mounted);
      target.layers.set(digest, mounted);
      return true;
    });
  }

  #isExpired(upload: UploadState, nowMs: number): boolean {
    return nowMs - upload.identity.startedAtMs > this.#uploadExpiryMs;
  }

  // Uploads are kept in the order of their start, so the first fresh one ends the search.
  async #dropExpired(nowMs: number): Promise<void> {
    for (const upload of this.uploads.values()) {
      if (!this.#isExpired(upload, nowMs)) return;
      await this.dropUpload(upload.identity.uploadId);
    }
  }
}
