/** Carries a plan out: blobs side by side, each manifest as soon as what it names is there. */

import { setMaxListeners } from 'node:events';
import pLimit from 'p-limit';
import type { Digest } from '../digest.ts';
import type { LayerSource } from '../layer/layer-source.ts';
import { callRegistry, emitImage, forCaller, type ImageContext } from './image-context.ts';
import { imageInvalid } from './image-errors.ts';
import type { ImageBlobReceipt, ImageReceipt } from './image-events.ts';
import type { GraphNode, ImageGraph } from './image-graph.ts';
import type { ImagePlan, PlannedBlob } from './image-plan.ts';
import { imageReceipt } from './image-receipt.ts';
import type { OpenImage } from './image-source.ts';
import { putManifest } from './manifest-put.ts';
import type { Manifest } from './manifest.ts';
import type { PushHooks } from './push-hooks.ts';
import { rootPuts } from './push-plan.ts';
import { neededBlobs, presentBlobs } from './repository-content.ts';
import { settleTogether } from './side-by-side.ts';
import { fromSource } from './source-guard.ts';

/** PutImage has the tightest quota, 10 a second (quotas, H); more at once would only be throttled. */
const PUTS_IN_FLIGHT = 5;

export class ImagePush {
  readonly #image: OpenImage;
  readonly #graph: ImageGraph;
  readonly #plan: ImagePlan;
  readonly #context: ImageContext;
  readonly #obtainBlob: PushHooks['obtainBlob'];
  readonly #createOnce: PushHooks['createOnce'];
  /** Ends what runs side by side when one of it fails. */
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  readonly #drain: AbortSignal;
  /** What has not begun when it aborts does not begin. */
  readonly #beginSignal: AbortSignal;
  readonly #putLimit = pLimit(PUTS_IN_FLIGHT);
  /** Manifests that the repository lacks. */
  readonly #missing: ReadonlySet<Digest>;
  readonly #sources = new Map<Digest, LayerSource>();
  readonly #uploads = new Map<Digest, Promise<void>>();
  readonly #puts = new Map<Digest, Promise<void>>();
  readonly #results = {
    blobs: new Map<Digest, ImageBlobReceipt>(),
    manifests: new Map<Digest, 'put' | 'already-present'>(),
    tags: new Map<string, 'put' | 'already-present'>(),
  };

  constructor(
    image: OpenImage,
    graph: ImageGraph,
    plan: ImagePlan,
    context: ImageContext,
    signal: AbortSignal,
    drainSignal: AbortSignal = signal,
    hooks: PushHooks = {},
  ) {
    this.#image = image;
    this.#graph = graph;
    this.#plan = plan;
    this.#context = context;
    this.#obtainBlob = hooks.obtainBlob;
    this.#createOnce = hooks.createOnce;
    const missing = plan.manifests.filter(({ action }) => action === 'put');
    this.#missing = new Set(missing.map((manifest) => manifest.digest));
    this.#drain = drainSignal;
    this.#signal = AbortSignal.any([signal, this.#stop.signal]);
    this.#beginSignal = AbortSignal.any([this.#signal, drainSignal]);
    // Each blob listens: no leak, so no warning of one.
    setMaxListeners(0, this.#signal, this.#beginSignal);
  }

  /** @throws LongshoreError of what failed first; the signal's reason */
  async run(startedAtMs: number): Promise<ImageReceipt> {
    const { blobs } = this.#plan;
    // A blob that the source lacks is told of before any other travels.
    for (const { digest, action } of blobs) {
      if (action === 'upload') await this.#findSource(digest);
    }
    this.#beginSignal.throwIfAborted();
    await this.#ensureRepository();
    for (const blob of blobs) {
      if (blob.action === 'upload') this.#uploads.set(blob.digest, this.#obtain(blob));
      else emitImage(this.#context, { type: 'blob-skipped', blob });
    }
    for (const node of this.#graph.nodes) {
      this.#puts.set(node.manifest.digest, this.#put(node));
    }
    const work = [...this.#uploads.values(), ...this.#puts.values()];
    await settleTogether(work, this.#stop, this.#drain);
    const durationMs = Math.round(performance.now() - startedAtMs);
    return imageReceipt(this.#plan, this.#results, this.#context.tally, durationMs);
  }

  async #ensureRepository(): Promise<void> {
    if (this.#plan.repositoryExists) return;
    const { repository } = this.#context.name;
    const create = async (): Promise<void> => {
      await forCaller(
        callRegistry(this.#context, 'CreateRepository', this.#signal, () =>
          this.#context.registry.createRepository(repository, this.#signal),
        ),
      );
    };
    await (this.#createOnce?.(create) ?? create());
  }

  /** Brings a blob into the repository: sends it, or lets the caller find a cheaper way. */
  async #obtain(blob: PlannedBlob): Promise<void> {
    if (this.#obtainBlob === undefined) return this.#upload(blob);
    const startedAtMs = performance.now();
    const upload = (source?: LayerSource): Promise<void> => this.#upload(blob, source);
    this.#beginSignal.throwIfAborted();
    const way = await this.#obtainBlob(blob, upload, this.#beginSignal);
    const { digest, sizeBytes, mediaType, kind } = blob;
    if (way === 'uploaded') {
      if (!this.#results.blobs.has(digest)) throw new Error(`nobody has uploaded ${digest}`);
      return;
    }
    const durationMs = Math.round(performance.now() - startedAtMs);
    const result = { digest, sizeBytes, mediaType, kind, outcome: way, sentBytes: 0, durationMs };
    this.#results.blobs.set(digest, result);
  }

  /** @param given instead of the image's source */
  async #upload(
    blob: Pick<PlannedBlob, 'digest' | 'sizeBytes' | 'mediaType' | 'kind'>,
    given?: LayerSource,
    again = false,
  ): Promise<void> {
    const { digest, sizeBytes, mediaType, kind } = blob;
    const source = given ?? (await this.#findSource(digest));
    const receipt = await this.#context.uploadBlob(
      source,
      blob,
      again,
      this.#signal,
      this.#beginSignal,
    );
    if (receipt.sizeBytes !== sizeBytes) {
      const problem = `the manifest gives it ${sizeBytes} bytes, it has ${receipt.sizeBytes}`;
      throw imageInvalid(this.#context.name.image, `blob ${digest}`, problem);
    }
    const { outcome, durationMs } = receipt;
    // Sent twice, where ECR had lost it.
    const sentBytes = receipt.sentBytes + (this.#results.blobs.get(digest)?.sentBytes ?? 0);
    const result = { digest, sizeBytes, mediaType, kind, outcome, sentBytes, durationMs };
    this.#results.blobs.set(digest, result);
  }

  async #put(node: GraphNode): Promise<void> {
    const { manifest, role } = node;
    const { config, layers, manifests, subject, digest } = manifest;
    // Whatever a manifest names comes before it. The graph's order makes sure that there is a promise.
    for (const reference of [...layers, ...manifests, config, subject]) {
      if (reference === undefined) continue;
      await this.#uploads.get(reference.digest);
      await this.#puts.get(reference.digest);
    }
    const isPut = this.#missing.has(digest);
    const tags = role === 'root' ? rootPuts(this.#plan) : isPut ? [undefined] : [];
    for (const tag of tags) {
      const outcome = await forCaller(
        this.#putLimit(() => {
          this.#beginSignal.throwIfAborted();
          const repair = (): Promise<void> => this.#repair(manifest);
          return putManifest({ manifest, tag }, this.#context, repair, this.#signal);
        }),
      );
      if (isPut) this.#results.manifests.set(digest, outcome);
      if (tag !== undefined) this.#results.tags.set(tag, outcome);
      emitImage(this.#context, { type: 'manifest-put', digest, tag, outcome });
    }
  }

  /** Sends blobs again that were there, or were completed, and are gone. */
  async #repair(manifest: Manifest): Promise<void> {
    const blobs = neededBlobs({ nodes: [{ manifest }], blobs: this.#graph.blobs }, new Set());
    const present = await presentBlobs(blobs, this.#context, this.#signal);
    const gone = blobs.filter(({ descriptor }) => !present.has(descriptor.digest));
    // A mount may have been what lagged, or went wrong: what is sent is sure to be there.
    const uploads = gone.map(({ descriptor, kind }) =>
      this.#upload({ ...descriptor, kind }, undefined, true),
    );
    await settleTogether(uploads, this.#stop, this.#drain);
  }

  async #findSource(digest: Digest): Promise<LayerSource> {
    const known = this.#sources.get(digest);
    if (known !== undefined) return known;
    const blob = this.#graph.blobs.get(digest);
    if (blob === undefined) throw new Error(`no blob ${digest} in the graph`);
    const source = await fromSource(this.#context.name.image, this.#signal, () =>
      this.#image.blob(blob.descriptor),
    );
    this.#sources.set(digest, source);
    return source;
  }
}
