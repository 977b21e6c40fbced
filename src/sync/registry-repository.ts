/** A repository of a source registry. */

import type { Digest } from '../digest.ts';
import { LongshoreError } from '../errors.ts';
import type { Descriptor } from '../image/descriptor.ts';
import type { ImageSource } from '../image/image-source.ts';
import type { LayerSource } from '../layer/layer-source.ts';
import type { RegistryClient } from '../registry/registry-client.ts';
import { registryBlob, type RegistryReader } from '../source/registry-blob.ts';
import type { SourceRepository } from './source-repository.ts';

/** What the repositories of one registry share. */
export interface SourceRegistry {
  readonly client: RegistryClient;
  readonly reader: RegistryReader;
  /** Set when it turns out that HEAD does not tell digests here. */
  headIsUseless: boolean;
}

const METHOD_NOT_ALLOWED = 405;

export class RegistryRepository implements SourceRepository {
  readonly name: string;
  readonly registry: string;
  readonly repository: string;
  readonly #connect: () => Promise<SourceRegistry>;

  /** @param connect gives the registry's one client, made when first wanted */
  constructor(registry: string, repository: string, connect: () => Promise<SourceRegistry>) {
    this.name = `${registry}/${repository}`;
    this.registry = registry;
    this.repository = repository;
    this.#connect = connect;
  }

  async *tags(signal: AbortSignal): AsyncGenerator<readonly string[], void> {
    const { client } = await this.#connect();
    yield* client.listTags(this.repository, {}, signal);
  }

  async resolve(tag: string, signal: AbortSignal): Promise<Digest | undefined> {
    const shared = await this.#connect();
    if (!shared.headIsUseless) {
      const found = await this.#look(shared, tag, signal);
      if (found !== 'not told') return found;
      shared.headIsUseless = true;
    }
    try {
      return (await shared.client.getManifest(this.repository, tag, signal)).digest;
    } catch (error) {
      if (LongshoreError.is(error, 'E_IMAGE_NOT_FOUND')) return undefined;
      throw error;
    }
  }

  image(digest: Digest, tag: string): ImageSource {
    const label = `${this.name}:${tag}`;
    const { registry, repository } = this;
    const reference = { registry, repository, tag, digest };
    return {
      label,
      open: async (_context, signal) => {
        const { reader } = await this.#connect();
        const { openImageOver } = await import('../source/registry-open-image.ts');
        try {
          return await openImageOver(reader, { label, reference, platform: undefined }, signal);
        } catch (error) {
          if (!LongshoreError.is(error, 'E_IMAGE_NOT_FOUND')) throw error;
          throw (await this.#moved(digest, tag, error, signal)) ?? error;
        }
      },
    };
  }

  blob(descriptor: Pick<Descriptor, 'digest' | 'sizeBytes'>): LayerSource {
    const openBlob: RegistryReader['openBlob'] = async (...request) =>
      (await this.#connect()).reader.openBlob(...request);
    return registryBlob({ openBlob }, this, descriptor);
  }

  async #look(
    { client }: SourceRegistry,
    tag: string,
    signal: AbortSignal,
  ): Promise<Digest | undefined | 'not told'> {
    try {
      const head = await client.headManifest(this.repository, tag, signal);
      return head === undefined ? undefined : (head.digest ?? 'not told');
    } catch (error) {
      const isRefused =
        LongshoreError.is(error, 'E_SOURCE_REGISTRY') &&
        error.details.httpStatus === METHOD_NOT_ALLOWED;
      if (isRefused) return 'not told';
      throw error;
    }
  }

  /** Registries that clean up lose an image as soon as its tag has moved. */
  async #moved(
    digest: Digest,
    tag: string,
    cause: LongshoreError,
    signal: AbortSignal,
  ): Promise<LongshoreError | undefined> {
    const current = await this.resolve(tag, signal);
    if (current === undefined || current === digest) return undefined;
    return new LongshoreError(
      'E_IMAGE_NOT_FOUND',
      `${this.name}:${tag} moved while the sync ran, from ${digest}, which is gone, to ${current}; ` +
        'sync it again',
      { source: this.name, wanted: digest, choices: [current] },
      { cause },
    );
  }
}
