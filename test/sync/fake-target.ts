/** A target that takes images in memory, and counts what is asked of it. */

import type { Digest } from '../../src/digest.ts';
import type { ImageReceipt } from '../../src/image/image-events.ts';
import type { ImagePlan, PlannedBlob } from '../../src/image/image-plan.ts';
import type { StoredImage } from '../../src/image/image-registry.ts';
import type { SyncTarget, TargetCall, TargetPush } from '../../src/sync/sync-target.ts';
import { NamedImage } from './fake-source.ts';

export interface FakeTargetOptions {
  /** By `repository:tag`. */
  readonly images?: Readonly<Record<string, Digest>>;
  /** `repository:tag` that may not be moved. */
  readonly immutable?: readonly string[];
  readonly readFailure?: Error;
  readonly mountFailure?: Error;
  readonly blobsOf?: (image: Digest) => readonly Digest[];
  /** Before anything is done for a push; what it throws is how the push fails. */
  readonly onPush?: (request: TargetPush, image: Digest, call: TargetCall) => Promise<void>;
}

export interface FakePush {
  readonly repository: string;
  readonly image: Digest;
  readonly tags: readonly string[];
}

export class FakeTarget implements SyncTarget {
  readonly name: string;
  readonly callsPerSecondMax = {};
  readonly pushes: FakePush[] = [];
  /** `repository digest`, in the order in which they came. */
  readonly uploads: string[] = [];
  readonly mounts: string[] = [];
  readonly reads: (readonly string[])[] = [];
  immutableCalls = 0;
  readonly images: Map<string, Digest>;
  readonly #options: FakeTargetOptions;
  readonly #blobs = new Set<string>();

  constructor(name: string, options: FakeTargetOptions = {}) {
    this.name = name;
    this.#options = options;
    this.images = new Map(Object.entries(options.images ?? {}));
  }

  registryHost(): Promise<string> {
    return Promise.resolve(`${this.name}.example`);
  }

  async readTags(
    repository: string,
    tags: readonly string[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, StoredImage>> {
    await Promise.resolve();
    signal.throwIfAborted();
    this.reads.push(tags);
    if (this.#options.readFailure !== undefined) throw this.#options.readFailure;
    const found = new Map<string, StoredImage>();
    for (const tag of tags) {
      const digest = this.images.get(`${repository}:${tag}`);
      if (digest !== undefined) found.set(tag, { digest, tag, mediaType: undefined, text: '{}' });
    }
    return found;
  }

  immutableTags(repository: string, tags: readonly string[]): Promise<readonly string[]> {
    this.immutableCalls += 1;
    const { immutable = [] } = this.#options;
    return Promise.resolve(tags.filter((tag) => immutable.includes(`${repository}:${tag}`)));
  }

  mountsAllowed(): Promise<boolean> {
    return Promise.resolve(true);
  }

  mount(repository: string, _from: string, digest: Digest): Promise<'mounted'> {
    const { mountFailure } = this.#options;
    if (mountFailure !== undefined) return Promise.reject(mountFailure);
    this.mounts.push(`${repository} ${digest}`);
    this.#blobs.add(`${repository} ${digest}`);
    return Promise.resolve('mounted');
  }

  plan(): Promise<ImagePlan> {
    return Promise.reject(new Error('nobody plans here'));
  }

  async push(request: TargetPush, call: TargetCall): Promise<ImageReceipt> {
    const { repository, tags = [] } = request;
    if (!(request.image instanceof NamedImage)) throw new Error('another image');
    const { digest } = request.image;
    call.signal.throwIfAborted();
    call.drainSignal.throwIfAborted();
    await this.#options.onPush?.(request, digest, call);
    const blobs = (this.#options.blobsOf?.(digest) ?? []).map((blob): PlannedBlob => {
      const isThere = this.#blobs.has(`${repository} ${blob}`);
      const media = { sizeBytes: 100, mediaType: 'layer', kind: 'layer' } as const;
      return isThere
        ? { digest: blob, ...media, action: 'skip', reason: 'present' }
        : { digest: blob, ...media, action: 'upload', reason: 'missing' };
    });
    const name = { repository, source: request.image.label, digest, mediaType: 'manifest' };
    await request.beforeTransfer({
      ...name,
      repositoryExists: true,
      tags: [],
      manifests: [],
      blobs,
      uploadBytes: 0,
      presentBytes: 0,
      calls: {},
    });
    const signal = AbortSignal.any([call.signal, call.drainSignal]);
    const received = await Promise.all(
      blobs.map(async (blob) => {
        if (blob.action === 'skip') return { ...blob, outcome: 'already-present' as const };
        const send = (): Promise<void> => {
          this.uploads.push(`${repository} ${blob.digest}`);
          this.#blobs.add(`${repository} ${blob.digest}`);
          return Promise.resolve();
        };
        return { ...blob, outcome: await request.obtainBlob(blob, send, signal) };
      }),
    );
    this.pushes.push({ repository, image: digest, tags });
    for (const tag of tags) this.images.set(`${repository}:${tag}`, digest);
    return {
      ...name,
      outcome: 'pushed',
      tags: [],
      manifests: [],
      blobs: received.map((blob) => ({ ...blob, sentBytes: 0, durationMs: 0 })),
      sentBytes: 0,
      skippedBytes: 0,
      calls: { PutImage: 1 },
      callCount: 1,
      durationMs: 5,
    };
  }

  calls(): Readonly<Record<string, number>> {
    return {};
  }

  throttledCallCount(): number {
    return 0;
  }

  snapshot(): ReturnType<SyncTarget['snapshot']> {
    return {
      layers: [],
      uploadedLayerCount: 0,
      presentLayerCount: 0,
      failedLayerCount: 0,
      acceptedBytes: 0,
      resentBytes: 0,
      bytesInMemory: 0,
    };
  }
}
