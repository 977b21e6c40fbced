/** Reads an image back from ECR and checks all of it. */

import { setMaxListeners } from 'node:events';
import pLimit from 'p-limit';
import type { Digest } from '../digest.ts';
import { LongshoreError } from '../errors.ts';
import { RegistryFault } from '../layer/ports.ts';
import type { EventSink } from '../layer/event-sink.ts';
import type { Descriptor } from './descriptor.ts';
import { callRegistry, errorOf, forCaller, type ImageContext } from './image-context.ts';
import { blobMissing } from './image-errors.ts';
import type { ImageVerification, VerificationEvent } from './image-events.ts';
import { type GraphBlob, type ImageGraph, readGraph } from './image-graph.ts';
import type { ImageReference, StoredImage } from './image-registry.ts';
import type { OpenImage } from './image-source.ts';
import { digestOf, readManifest } from './manifest.ts';
import { settleTogether } from './side-by-side.ts';

/** What was read of a blob. */
export interface BlobReading {
  readonly digest: Digest;
  readonly sizeBytes: number;
}

export interface VerifierOptions {
  readonly context: ImageContext;
  /** Tag or digest. */
  readonly reference: string;
  /** Whether what refers to the image is verified as well. */
  readonly referrers: boolean;
  readonly sink: EventSink<VerificationEvent>;
  readonly blobsInFlight: number;
  /**
   * Reads what a URL gives, hashed in a worker; no more than one byte beyond `sizeBytes`.
   * @throws RegistryFault
   */
  readonly readBlob: (url: string, sizeBytes: number, signal: AbortSignal) => Promise<BlobReading>;
  readonly signal: AbortSignal;
}

export class ImageVerifier {
  readonly #options: VerifierOptions;
  readonly #problems: string[] = [];
  /** Ends what runs side by side when one of it fails. */
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;

  constructor(options: VerifierOptions) {
    this.#options = options;
    this.#signal = AbortSignal.any([options.signal, this.#stop.signal]);
    // Each blob listens: no leak, so no warning of one.
    setMaxListeners(0, this.#signal);
  }

  /**
   * @param source what the image should be, if there is something to compare it with
   * @throws LongshoreError E_VERIFICATION_FAILED with everything that was found
   */
  async run(source: ImageGraph | undefined): Promise<ImageVerification> {
    const startedAtMs = performance.now();
    const { context, reference, sink } = this.#options;
    const { repository } = context.name;
    const graph = await this.#graph();
    if (source !== undefined) this.#compare(graph, source);
    const isDifferent = this.#problems.length > 0;
    const blobs = [...graph.blobs.values()];
    const wanted = blobs.filter(({ isForeign }) => !isForeign);
    const sizeBytes = wanted.reduce((sum, { descriptor }) => sum + descriptor.sizeBytes, 0);
    sink.emit({ type: 'verification-started', blobCount: wanted.length, sizeBytes });
    const limit = pLimit(this.#options.blobsInFlight);
    const verifications = wanted.map((blob) => limit(() => this.#verify(blob)));
    await settleTogether(verifications, this.#stop);
    if (this.#problems.length > 0) {
      throw this.#failure(isDifferent ? 'push the one that it should be' : undefined);
    }
    const { manifest } = graph.root;
    return {
      repository,
      reference,
      digest: manifest.digest,
      mediaType: manifest.mediaType,
      manifests: graph.nodes.map((node) => ({
        digest: node.manifest.digest,
        sizeBytes: node.manifest.bytes.length,
        platform: node.descriptor.platform,
      })),
      blobs: blobs.map(({ descriptor, isForeign }) => ({
        digest: descriptor.digest,
        sizeBytes: descriptor.sizeBytes,
        outcome: isForeign ? ('foreign' as const) : ('verified' as const),
      })),
      verifiedBytes: sizeBytes,
      comparedWithSource: source !== undefined,
      durationMs: Math.round(performance.now() - startedAtMs),
    };
  }

  /** The image's graph as the repository has it. What does not hold together ends the verification. */
  async #graph(): Promise<ImageGraph> {
    const { context, reference, signal } = this.#options;
    const { repository } = context.name;
    const asked: ImageReference = reference.startsWith('sha256:')
      ? { digest: reference as Digest }
      : { tag: reference };
    const stored = await this.#find(asked);
    if (stored === undefined) {
      this.#problems.push(`${reference} is not in ${repository}`);
      throw this.#failure('push it first');
    }
    const label = `${repository} ${reference}`;
    try {
      const image = await this.#openStored(stored, label);
      const options = { source: label, platforms: [], referrers: this.#options.referrers };
      return await readGraph(image, options, signal);
    } catch (error) {
      if (!LongshoreError.is(error) || error.origin !== 'source') throw errorOf(error);
      this.#problems.push(error.message);
      throw this.#failure();
    }
  }

  async #openStored(stored: StoredImage, label: string): Promise<OpenImage> {
    const bytes = new TextEncoder().encode(stored.text);
    const actual = digestOf(bytes);
    if (actual !== stored.digest) {
      this.#problems.push(`the manifest ${stored.digest} has the digest ${actual}`);
    }
    const origin = { source: label };
    const { mediaType } = readManifest(bytes, {
      ...origin,
      ...(stored.mediaType !== undefined && { mediaType: stored.mediaType }),
    });
    return {
      root: { mediaType, digest: actual, sizeBytes: bytes.length },
      readManifest: async ({ digest }) => {
        if (digest === actual) return bytes;
        const child = await this.#find({ digest });
        if (child === undefined) throw blobMissing(label, digest);
        return new TextEncoder().encode(child.text);
      },
      blob: () => {
        throw new Error('blobs are read by URL');
      },
      referrers: (digest) => this.#referrers(digest),
      close: () => Promise.resolve(),
    };
  }

  async #find(reference: ImageReference): Promise<StoredImage | undefined> {
    const { context, signal } = this.#options;
    const [stored] = await forCaller(
      callRegistry(context, 'BatchGetImage', signal, () =>
        context.registry.getImages(context.name.repository, [reference], signal),
      ),
    );
    return stored;
  }

  #referrers(digest: Digest): Promise<readonly Descriptor[]> {
    const { context, signal } = this.#options;
    return forCaller(
      callRegistry(context, 'ListImageReferrers', signal, () =>
        context.registry.referrers(context.name.repository, digest, signal),
      ),
    );
  }

  #compare(graph: ImageGraph, source: ImageGraph): void {
    const { context, reference } = this.#options;
    const stored = graph.root.manifest.digest;
    const wanted = source.root.manifest.digest;
    const { image, repository } = context.name;
    const isSame = stored === wanted;
    if (!isSame)
      this.#problems.push(`${repository} ${reference} is ${stored}, ${image} is ${wanted}`);
    const manifests = new Set(graph.nodes.map(({ manifest }) => manifest.digest));
    for (const { manifest } of source.nodes) {
      if (manifest.digest === wanted || manifests.has(manifest.digest)) continue;
      this.#problems.push(`only ${image} has the manifest ${manifest.digest}`);
    }
    for (const digest of source.blobs.keys()) {
      if (!graph.blobs.has(digest)) this.#problems.push(`only ${image} has the blob ${digest}`);
    }
    // Of the same image the repository may have more referrers: others sign it too.
    if (isSame) return;
    for (const digest of graph.blobs.keys()) {
      if (!source.blobs.has(digest)) {
        this.#problems.push(`only ${repository} has the blob ${digest}`);
      }
    }
  }

  async #verify({ descriptor }: GraphBlob): Promise<void> {
    const { context, sink, readBlob } = this.#options;
    const signal = this.#signal;
    signal.throwIfAborted();
    const { repository } = context.name;
    const { digest, sizeBytes } = descriptor;
    const startedAtMs = performance.now();
    let reading: BlobReading;
    try {
      // Another attempt takes another URL: they expire.
      reading = await callRegistry(context, 'GetDownloadUrlForLayer', signal, async () => {
        const url = await context.registry.downloadUrl(repository, digest, signal);
        return readBlob(url, sizeBytes, signal);
      });
    } catch (error) {
      if (error instanceof RegistryFault && error.kind === 'layers-missing') {
        this.#problems.push(`the blob ${digest} is not there: ${error.message}`);
        return;
      }
      throw errorOf(error);
    }
    if (reading.sizeBytes !== sizeBytes) {
      const actual =
        reading.sizeBytes > sizeBytes ? `more than ${sizeBytes}` : String(reading.sizeBytes);
      this.#problems.push(`the blob ${digest} has ${actual} bytes instead of ${sizeBytes}`);
    } else if (reading.digest !== digest) {
      this.#problems.push(`the blob ${digest} has the digest ${reading.digest}`);
    } else {
      const durationMs = Math.round(performance.now() - startedAtMs);
      sink.emit({ type: 'blob-verified', digest, sizeBytes, durationMs });
    }
  }

  /** @param remedy ECR keeps the image that it has, so a damaged one has to go before it comes again */
  #failure(remedy = 'delete it (aws ecr batch-delete-image), then push it again'): LongshoreError {
    const { context, reference } = this.#options;
    const { repository } = context.name;
    const list = this.#problems.map((problem) => `\n  ${problem}`).join('');
    return new LongshoreError(
      'E_VERIFICATION_FAILED',
      `${repository} ${reference} is not as it should be; ${remedy}:${list}`,
      { repository, image: reference, problems: [...this.#problems] },
    );
  }
}
