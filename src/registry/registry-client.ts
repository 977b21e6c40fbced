/** Reads from one registry over the OCI distribution protocol. */

import { setMaxListeners } from 'node:events';
import { type Digest, isDigest } from '../digest.ts';
import type { Descriptor } from '../image/descriptor.ts';
import { blobMissing, imageNotFound } from '../image/image-errors.ts';
import { withinBoth } from './abort-scope.ts';
import { CATALOG } from './authorizer.ts';
import { BlobStream } from './blob-stream.ts';
import { type RegistryOptions, resolveRegistryOptions } from './client-options.ts';
import { endpointOf } from './endpoint.ts';
import {
  MANIFEST_ACCEPT,
  type ManifestHead,
  readManifestHead,
  readManifestReply,
  type RegistryManifest,
} from './manifest-reply.ts';
import { type NamePages, readNamePages } from './name-list.ts';
import { clientClosed, ReadFault, readFailure } from './read-fault.ts';
import { readReferrers } from './referrer-list.ts';
import type { RegistryTraffic } from './registry-traffic.ts';
import { RegistrySession } from './session.ts';
import { processSurroundings, type Surroundings } from './surroundings.ts';
import type { HttpReply } from './transport.ts';

/** Names of a page of a list; registries may send fewer. */
const PAGE_SIZE = 1000;
const NO_LIST = 'name the repositories one by one';

/**
 * A client of one registry, for any of its repositories. Tokens, credentials and connections are kept
 * until it is closed. All methods may be called at once; each throws, beside what it says,
 * LongshoreError E_SOURCE_REGISTRY, E_SOURCE_DENIED or E_CLOSED, or the signal's reason.
 */
export class RegistryClient {
  readonly #registry: string;
  readonly #endpoint: URL;
  readonly #session: RegistrySession;
  readonly #end = new AbortController();

  /**
   * @param registry as in a reference: `docker.io`, `registry.example.com:5000`
   * @param traffic bounds and counts the requests, where many images are read
   * @throws LongshoreError E_OPTION_INVALID
   */
  constructor(
    registry: string,
    options: RegistryOptions = {},
    surroundings: Surroundings = processSurroundings(),
    traffic?: RegistryTraffic,
  ) {
    const resolved = resolveRegistryOptions(options);
    // As many as there are calls at once; each leaves its listener when it ends.
    setMaxListeners(0, this.#end.signal);
    this.#registry = registry;
    this.#endpoint = endpointOf(registry, resolved.plainHttp);
    this.#session = new RegistrySession(
      registry,
      this.#endpoint,
      resolved,
      surroundings,
      this.#end.signal,
      traffic,
    );
  }

  /**
   * @param reference a tag or a digest; that of the bytes is compared with it, and with the reply's
   * `Docker-Content-Digest`
   * @throws LongshoreError E_IMAGE_NOT_FOUND, E_DIGEST_MISMATCH, E_IMAGE_UNSUPPORTED over 4 MiB
   */
  async getManifest(
    repository: string,
    reference: string,
    signal: AbortSignal,
  ): Promise<RegistryManifest> {
    const source = this.#nameOf(repository, reference);
    const request = { ...this.#manifestRequest(repository, reference), method: 'GET' } as const;
    const { stallTimeoutMs } = this.#session.options;
    return this.#within(repository, reference, signal, (both) =>
      this.#session.perform(
        request,
        (reply) => readManifestReply(reply, { source, reference, stallTimeoutMs }, both),
        both,
      ),
    );
  }

  /** The same without the bytes; `undefined` if there is none. */
  async headManifest(
    repository: string,
    reference: string,
    signal: AbortSignal,
  ): Promise<ManifestHead | undefined> {
    const request = { ...this.#manifestRequest(repository, reference), method: 'HEAD' } as const;
    const read = (reply: HttpReply): Promise<ManifestHead> => {
      reply.discard();
      return Promise.resolve(readManifestHead(reply));
    };
    return this.#within(repository, reference, signal, (both) =>
      this.#session.perform(request, read, both).catch(undefinedIfMissing),
    );
  }

  /**
   * Begins to download a blob. It must be closed.
   * @param firstByte where the reading begins; less than the blob's size, or 0
   * @throws LongshoreError E_BLOB_MISSING; E_SOURCE_CHANGED if the registry has another size
   */
  async openBlob(
    repository: string,
    { digest, sizeBytes }: Pick<Descriptor, 'digest' | 'sizeBytes'>,
    signal: AbortSignal,
    firstByte = 0,
  ): Promise<RegistryBlob> {
    const source = this.#nameOf(repository);
    const url = this.#url(repository, `blobs/${digest}`);
    const request = { digest, sizeBytes, url, repository, source, firstByte };
    const stream = new BlobStream(this.#session, request);
    const within = <T>(
      signalOf: AbortSignal,
      work: (both: AbortSignal) => Promise<T>,
    ): Promise<T> =>
      this.#within(repository, digest, signalOf, work, (cause) =>
        blobMissing(source, digest, cause),
      );
    await within(signal, (both) => stream.start(both));
    return {
      read: (target, signalOfRead) => within(signalOfRead, (both) => stream.read(target, both)),
      get receivedBytes() {
        return stream.receivedBytes;
      },
      close: () => stream.close(),
    };
  }

  /**
   * The tags of a repository, page by page, in the registry's order.
   * @param options.pageSize how many to ask for at once; some registries send all. Default 1000
   * @throws LongshoreError E_IMAGE_NOT_FOUND if there is no such repository
   */
  listTags(
    repository: string,
    options: { readonly pageSize?: number },
    signal: AbortSignal,
  ): AsyncGenerator<readonly string[], void> {
    const { pageSize = PAGE_SIZE } = options;
    const pages = readNamePages(this.#session, repository, 'tags');
    const first = this.#url(repository, `tags/list?n=${pageSize}`);
    return this.#listNames(first, pages, repository, 'tags', signal, (cause) =>
      imageNotFound(this.#registry, repository, [], cause),
    );
  }

  /**
   * The repositories that the registry lets us list, page by page, in its order. Many registries, Docker
   * Hub among them, list none.
   * @throws LongshoreError E_SOURCE_REGISTRY if it has no such list
   */
  listRepositories(signal: AbortSignal): AsyncGenerator<readonly string[], void> {
    const pages = readNamePages(this.#session, CATALOG, 'repositories');
    const first = new URL(`/v2/_catalog?n=${PAGE_SIZE}`, this.#endpoint);
    return this.#listNames(first, pages, '_catalog', '', signal, (cause) => {
      const { facts } = cause;
      const fault = new ReadFault('final', 'it does not list its repositories', NO_LIST, facts);
      return readFailure(fault, this.#registry, this.#registry);
    });
  }

  /**
   * What refers to a manifest, by the referrers API, or where there is none, by the tag that stands in
   * for it.
   */
  async referrers(
    repository: string,
    digest: Digest,
    signal: AbortSignal,
  ): Promise<readonly Descriptor[]> {
    const source = this.#nameOf(repository, digest);
    const url = this.#url(repository, `referrers/${digest}`);
    const standIn = {
      ...this.#manifestRequest(repository, digest.replace(':', '-')),
      method: 'GET',
    } as const;
    return this.#within(repository, digest, signal, (both) =>
      readReferrers(this.#session, { source, url, repository, standIn }, both),
    );
  }

  /** Breaks off what is under way; leaves no connection and no timer. Idempotent. */
  async close(): Promise<void> {
    this.#end.abort(clientClosed());
    await this.#session.close();
  }

  async *#listNames(
    first: URL,
    pages: NamePages,
    repository: string,
    reference: string,
    signal: AbortSignal,
    missing: (cause: ReadFault) => Error,
  ): AsyncGenerator<readonly string[], void> {
    let url: URL | undefined = first;
    while (url !== undefined) {
      const page: URL = url;
      const { names, next } = await this.#within(
        repository,
        reference,
        signal,
        (both) => pages.read(page, both),
        missing,
      );
      yield names;
      url = next;
    }
  }

  #manifestRequest(
    repository: string,
    reference: string,
  ): {
    readonly url: URL;
    readonly repository: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly isContentAddressed: boolean;
  } {
    return {
      url: this.#url(repository, `manifests/${reference}`),
      repository,
      headers: { accept: MANIFEST_ACCEPT },
      isContentAddressed: isDigest(reference),
    };
  }

  /** Ends with the client; turns faults into errors of longshore's own. */
  async #within<T>(
    repository: string,
    reference: string,
    signal: AbortSignal,
    work: (signal: AbortSignal) => Promise<T>,
    missing: (cause: ReadFault) => Error = (cause) =>
      imageNotFound(this.#nameOf(repository), reference, [], cause),
  ): Promise<T> {
    try {
      return await withinBoth(signal, this.#end.signal, work);
    } catch (error) {
      if (!(error instanceof ReadFault)) throw error;
      if (error.kind === 'missing') throw missing(error);
      throw readFailure(error, this.#nameOf(repository, reference), this.#registry);
    }
  }

  #url(repository: string, rest: string): URL {
    const path = repository.split('/').map(encodeURIComponent).join('/');
    return new URL(`/v2/${path}/${rest}`, this.#endpoint);
  }

  #nameOf(repository: string, reference?: string): string {
    const name = `${this.#registry}/${repository}`;
    if (reference === undefined || reference === '') return name;
    return `${name}${isDigest(reference) ? '@' : ':'}${reference}`;
  }
}

/** A blob that is being downloaded. */
export interface RegistryBlob {
  /** What has arrived so far, of `sizeBytes`. */
  readonly receivedBytes: number;
  /**
   * Fills `target` with the bytes that follow those read before, resuming broken downloads; resolves
   * with their count, less than `target.length` only at the end. One call at a time.
   */
  read(target: Uint8Array, signal: AbortSignal): Promise<number>;
  /** Ends the download. Idempotent. */
  close(): void;
}

function undefinedIfMissing(error: unknown): undefined {
  if (error instanceof ReadFault && error.kind === 'missing') return undefined;
  throw error;
}
