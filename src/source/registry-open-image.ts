/** An open image of a registry. Loaded only when one is opened: it brings the HTTP client. */

import type { Digest } from '../digest.ts';
import { LongshoreError } from '../errors.ts';
import type { Descriptor, Platform } from '../image/descriptor.ts';
import { blobMissing, imageNotFound } from '../image/image-errors.ts';
import type { OpenImage } from '../image/image-source.ts';
import { digestOf, type Manifest, readManifest } from '../image/manifest.ts';
import { choosePlatforms } from '../image/platform-choice.ts';
import type { RegistryOptions } from '../registry/client-options.ts';
import type { RegistryManifest } from '../registry/manifest-reply.ts';
import type { RegistryReference } from '../registry/reference.ts';
import { RegistryClient } from '../registry/registry-client.ts';
import { isImageConfig, platformOfConfig } from './config-platform.ts';
import { registryBlob, type RegistryReader } from './registry-blob.ts';

export interface RegistryImageRequest {
  readonly label: string;
  readonly reference: RegistryReference;
  readonly platform: string | undefined;
}

/** Largest config that is looked into for its platform. */
const CONFIG_BYTES_MAX = 4 * 1024 * 1024;
/** Tags that are told where one was not found. */
const TAGS_TOLD_MAX = 100;

/** By a client of its own, which is closed with the image, or if opening it fails. */
export async function openRegistryImage(
  request: RegistryImageRequest,
  options: RegistryOptions,
  signal: AbortSignal,
): Promise<OpenImage> {
  const client = new RegistryClient(request.reference.registry, options);
  try {
    return await openImageOver(client, request, signal, () => client.close());
  } catch (error) {
    await client.close();
    throw error;
  }
}

/** By a client that others use as well, and that stays open. @param close called with the image */
export async function openImageOver(
  client: RegistryReader,
  request: RegistryImageRequest,
  signal: AbortSignal,
  close: () => Promise<void> = () => Promise.resolve(),
): Promise<OpenImage> {
  const image = new RegistryImage(client, request, close);
  await image.find(signal);
  return image;
}

class RegistryImage implements OpenImage {
  readonly #client: RegistryReader;
  readonly #close: () => Promise<void>;
  readonly #request: RegistryImageRequest;
  readonly #repository: string;
  #root: Descriptor | undefined;
  /** The root's bytes are here already when somebody asks for them. */
  readonly #known = new Map<Digest, Uint8Array>();

  constructor(client: RegistryReader, request: RegistryImageRequest, close: () => Promise<void>) {
    this.#client = client;
    this.#close = close;
    this.#request = request;
    this.#repository = request.reference.repository;
  }

  get root(): Descriptor {
    if (this.#root === undefined) throw new Error('the image was not found yet');
    return this.#root;
  }

  async find(signal: AbortSignal): Promise<void> {
    const { label, reference, platform } = this.#request;
    const wanted = reference.digest ?? reference.tag ?? 'latest';
    const { bytes, digest, mediaType: given } = await this.#find(wanted, signal);
    const manifest = readManifest(bytes, {
      source: label,
      ...(given !== undefined && { mediaType: given }),
    });
    const { mediaType, artifactType } = manifest;
    const whole: Descriptor = {
      mediaType,
      digest,
      sizeBytes: bytes.length,
      ...(artifactType !== undefined && { artifactType }),
    };
    this.#root =
      platform === undefined ? whole : await this.#choose(manifest, whole, platform, signal);
    if (this.#root.digest === digest) this.#known.set(digest, bytes);
  }

  async readManifest(descriptor: Descriptor, signal: AbortSignal): Promise<Uint8Array> {
    const { digest } = descriptor;
    const known = this.#known.get(digest);
    if (known !== undefined) return known;
    try {
      return (await this.#client.getManifest(this.#repository, digest, signal)).bytes;
    } catch (error) {
      if (!LongshoreError.is(error, 'E_IMAGE_NOT_FOUND')) throw error;
      throw blobMissing(this.#request.label, digest, error);
    }
  }

  blob(descriptor: Descriptor): ReturnType<OpenImage['blob']> {
    return registryBlob(this.#client, this.#request.reference, descriptor);
  }

  referrers(digest: Digest, signal: AbortSignal): Promise<readonly Descriptor[]> {
    return this.#client.referrers(this.#repository, digest, signal);
  }

  close(): Promise<void> {
    return this.#close();
  }

  async #choose(
    manifest: Manifest,
    whole: Descriptor,
    platform: string,
    signal: AbortSignal,
  ): Promise<Descriptor> {
    const own = manifest.kind === 'image' ? await this.platformOf(manifest, signal) : undefined;
    const known = own === undefined ? whole : { ...whole, platform: own };
    const chosen = choosePlatforms(manifest, known, [platform], this.#request.label);
    // Several versions of Windows, say: the index has the one to prefer first.
    return chosen.manifest?.manifests[0] ?? chosen.descriptor;
  }

  /** What a single image says of itself, in its config. */
  async platformOf({ config }: Manifest, signal: AbortSignal): Promise<Platform | undefined> {
    if (config === undefined || config.sizeBytes > CONFIG_BYTES_MAX) return undefined;
    if (!isImageConfig(config.mediaType)) return undefined;
    const blob = await this.#client.openBlob(this.#repository, config, signal);
    try {
      const bytes = new Uint8Array(config.sizeBytes);
      await blob.read(bytes, signal);
      const { label } = this.#request;
      const actual = digestOf(bytes);
      if (actual !== config.digest) {
        throw new LongshoreError(
          'E_DIGEST_MISMATCH',
          `${label}: its config ${config.digest} has the digest ${actual}; push the image anew`,
          { expected: config.digest, actual, source: label },
        );
      }
      return platformOfConfig(bytes);
    } finally {
      blob.close();
    }
  }

  /** Who misspells a tag is helped by those there are, if the registry tells them. */
  async #find(wanted: string, signal: AbortSignal): Promise<RegistryManifest> {
    const { registry, repository, digest } = this.#request.reference;
    try {
      return await this.#client.getManifest(repository, wanted, signal);
    } catch (error) {
      if (!LongshoreError.is(error, 'E_IMAGE_NOT_FOUND') || digest !== undefined) throw error;
      const choices = await this.#someTags(signal);
      throw imageNotFound(`${registry}/${repository}`, wanted, choices, error);
    }
  }

  async #someTags(signal: AbortSignal): Promise<readonly string[]> {
    const pages = this.#client.listTags(this.#repository, { pageSize: TAGS_TOLD_MAX }, signal);
    try {
      const { value: tags } = await pages.next();
      return (tags ?? []).slice(0, TAGS_TOLD_MAX);
    } catch (error) {
      if (signal.aborted) throw error;
      return [];
    }
  }
}
