/** One of several ECR registries that a bulk sync fills. */

import pLimit from 'p-limit';
import type { Digest } from '../digest.ts';
import { EcrAccount } from '../ecr/ecr-account.ts';
import type { CallTally } from '../ecr/ecr-caller.ts';
import { EcrImageRegistry } from '../ecr/ecr-image-registry.ts';
import { LongshoreError } from '../errors.ts';
import { forCaller } from '../image/image-context.ts';
import type { ImageReceipt } from '../image/image-events.ts';
import type { ImagePlan } from '../image/image-plan.ts';
import type { StoredImage } from '../image/image-registry.ts';
import type { ImageCall, ImageRequest } from '../image/image-request.ts';
import type { PushHooks } from '../image/push-hooks.ts';
import { batches } from '../image/repository-content.ts';
import { settleTogether } from '../image/side-by-side.ts';
import type { UploaderSnapshot } from '../layer/layer-events.ts';
import { callWithRetry } from '../layer/retry.ts';
import { IMAGES_PER_CALL_MAX } from '../limits.ts';
import { DockerDoor } from './docker-door.ts';
import { assertImageRequest } from './request-check.ts';
import { RegistryWork } from './registry-work.ts';
import { type RunningWork, withOwnDrain } from './running-work.ts';
import { KeptAnswer } from './kept-answer.ts';
import type { RegistryStations } from './stations.ts';

/** Calls at once in which tags are read; each reply may hold a hundred manifests. */
const TAG_CALLS_IN_FLIGHT = 4;

export class RegistryTarget {
  readonly name: string;
  readonly #own: RegistryStations;
  readonly #work: RegistryWork;
  readonly #door: DockerDoor;
  readonly #registry: EcrImageRegistry;
  readonly #tagCalls = pLimit(TAG_CALLS_IN_FLIGHT);
  readonly #end = new AbortController();
  readonly #mountsAllowed: KeptAnswer<boolean>;

  /** @param work of all targets: it waits for this one's too */
  constructor(name: string, own: RegistryStations, work: RunningWork) {
    this.name = name;
    this.#own = own;
    this.#work = new RegistryWork(own, work);
    const { caller, images } = own;
    this.#door = new DockerDoor(images.options, caller, images.retry);
    const tally: CallTally = new Map();
    this.#registry = new EcrImageRegistry(caller, images.registryOf(undefined, tally), tally);
    this.#mountsAllowed = new KeptAnswer(() => this.#askMountsAllowed());
  }

  get callsPerSecondMax(): Readonly<Record<string, number>> {
    return this.#own.images.options.callsPerSecondMax;
  }

  registryHost(signal: AbortSignal): Promise<string> {
    return this.#work.start(signal, (own) => this.#door.host(own));
  }

  readTags(
    repository: string,
    tags: readonly string[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, StoredImage>> {
    return this.#work.start(signal, async (own) => {
      const found = new Map<string, StoredImage>();
      const stop = new AbortController();
      const either = AbortSignal.any([own, stop.signal]);
      const read = async (some: readonly string[]): Promise<void> => {
        const references = some.map((tag) => ({ tag }));
        const images = await this.#call(either, () =>
          this.#registry.getImages(repository, references, either),
        );
        for (const image of images) {
          if (image.tag !== undefined) found.set(image.tag, image);
        }
      };
      const calls = [...batches(tags, IMAGES_PER_CALL_MAX)].map((some) =>
        this.#tagCalls(() => read(some)),
      );
      try {
        await settleTogether(calls, stop);
      } catch (error) {
        if (LongshoreError.is(error, 'E_REPOSITORY_NOT_FOUND')) return new Map();
        throw error;
      }
      return found;
    });
  }

  immutableTags(
    repository: string,
    tags: readonly string[],
    signal: AbortSignal,
  ): Promise<readonly string[]> {
    return this.#work.start(signal, async (own) => {
      try {
        return await this.#call(own, () => this.#registry.immutableTags(repository, tags, own));
      } catch (error) {
        // Who may push need not be allowed to describe; PutImage will tell.
        const isUnknown =
          LongshoreError.is(error, 'E_ACCESS_DENIED') ||
          LongshoreError.is(error, 'E_REPOSITORY_NOT_FOUND');
        if (isUnknown) return [];
        throw error;
      }
    });
  }

  mountsAllowed(signal: AbortSignal): Promise<boolean> {
    return this.#work.start(signal, (own) => this.#mountsAllowed.get(own));
  }

  mount(
    repository: string,
    from: string,
    digest: Digest,
    signal: AbortSignal,
  ): Promise<'mounted' | 'refused'> {
    return this.#work.start(signal, (own) => this.#door.mount(repository, from, digest, own));
  }

  async plan(request: ImageRequest, call: ImageCall): Promise<ImagePlan> {
    assertImageRequest(request);
    return withOwnDrain(call, (own) =>
      this.#work.start(call.signal, async (signal) =>
        (await this.#work.images()).plan(request, own, signal),
      ),
    );
  }

  async push(request: ImageRequest & PushHooks, call: ImageCall): Promise<ImageReceipt> {
    const { beforeTransfer, createOnce, obtainBlob, ...image } = request;
    const hooks = { beforeTransfer, createOnce, obtainBlob };
    assertImageRequest(image);
    return withOwnDrain(call, (own) =>
      this.#work.start(call.signal, async (signal) =>
        (await this.#work.images()).push(image, own, signal, hooks),
      ),
    );
  }

  /** Every call so far, by operation, attempts counted. Mounts are among `InitiateLayerUpload`. */
  calls(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#own.caller.calls);
  }

  throttledCallCount(): number {
    return this.#own.caller.throttledCount;
  }

  /** `bytesInMemory` is that of all targets. */
  snapshot(): UploaderSnapshot {
    return this.#own.layers.snapshot();
  }

  /** Once nothing is under way any more. */
  async close(reason: unknown): Promise<void> {
    this.#end.abort(reason);
    await this.#door.close(reason);
    await this.#own.caller.destroy();
  }

  async #askMountsAllowed(): Promise<boolean> {
    const { signal } = this.#end;
    const account = new EcrAccount(this.#own.caller);
    try {
      const value = await this.#call(signal, () => account.setting('BLOB_MOUNTING', signal));
      return value !== 'DISABLED';
    } catch (error) {
      // May not be asked, or is not known there: the first mount will tell.
      const isUnknown =
        LongshoreError.is(error, 'E_ACCESS_DENIED') ||
        LongshoreError.is(error, 'E_REQUEST_INVALID');
      if (isUnknown) return true;
      throw error;
    }
  }

  #call<T>(signal: AbortSignal, call: () => Promise<T>): Promise<T> {
    const { retry } = this.#own.images;
    return forCaller(callWithRetry(call, retry, signal, () => undefined));
  }
}
