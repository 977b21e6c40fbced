/** The calls of one layer that carry no part: retried, told of, and with the repository made on demand. */

import type { Digest } from '../digest.ts';
import type { LayerProgress } from './layer-progress.ts';
import { type LayerRegistry, RegistryFault } from './ports.ts';
import { callWithRetry, type OnRetry } from './retry.ts';
import type { LayerUploadContext } from './upload-context.ts';

export class RepositoryCalls {
  readonly #context: Pick<LayerUploadContext, 'registry' | 'retry' | 'createRepository'>;
  readonly #repository: string;
  readonly #progress: LayerProgress;
  readonly #signal: AbortSignal;

  constructor(
    context: Pick<LayerUploadContext, 'registry' | 'retry' | 'createRepository'>,
    repository: string,
    progress: LayerProgress,
    signal: AbortSignal,
  ) {
    this.#context = context;
    this.#repository = repository;
    this.#progress = progress;
    this.#signal = signal;
  }

  hasLayer(digest: Digest): Promise<boolean> {
    return this.#inRepository('BatchCheckLayerAvailability', () =>
      this.#context.registry.hasLayer(this.#repository, digest, this.#signal),
    );
  }

  initiateUpload(): ReturnType<LayerRegistry['initiateUpload']> {
    return this.#inRepository('InitiateLayerUpload', () =>
      this.#context.registry.initiateUpload(this.#repository, this.#signal),
    );
  }

  /** Tells of each attempt that failed and will be repeated. */
  onRetry(operation: string): OnRetry {
    return (fault, attempt, delayMs) =>
      this.#progress.callRetried(operation, fault, attempt, delayMs);
  }

  /** Calls with retries; creates the repository if it is missing and that is wanted. */
  async #inRepository<T>(operation: string, call: () => Promise<T>): Promise<T> {
    const withRetry = (): Promise<T> =>
      this.#progress.during('call', operation, () =>
        callWithRetry(call, this.#context.retry, this.#signal, this.onRetry(operation)),
      );
    try {
      return await withRetry().catch(async (error: unknown) => {
        const missing = error instanceof RegistryFault && error.kind === 'repository-missing';
        if (!missing || !this.#context.createRepository) throw error;
        const created = await callWithRetry(
          () => this.#context.registry.createRepository(this.#repository, this.#signal),
          this.#context.retry,
          this.#signal,
          this.onRetry('CreateRepository'),
        );
        if (created) this.#progress.emit({ type: 'repository-created' });
        return withRetry();
      });
    } catch (error) {
      throw error instanceof RegistryFault ? error.error : error;
    }
  }
}
