/** What the pieces of one push share. */

import type { EventSink } from '../layer/event-sink.ts';
import type { LayerReceipt } from '../layer/layer-events.ts';
import type { LayerSource } from '../layer/layer-source.ts';
import { RegistryFault } from '../layer/ports.ts';
import { callWithRetry, type RetryPolicy } from '../layer/retry.ts';
import type { Descriptor } from './descriptor.ts';
import type { ImageEvent, ImageName } from './image-events.ts';
import type { ImageRegistry } from './image-registry.ts';

/** An image event without the image's name; distributes over the union. */
type Unnamed<E> = E extends ImageName & { readonly type: string }
  ? Omit<E, keyof ImageName>
  : never;

export interface ImageContext {
  readonly name: ImageName;
  readonly registry: ImageRegistry;
  readonly retry: RetryPolicy;
  readonly createRepository: boolean;
  /** What `InitiateLayerUpload` will report, or what was asked for. For counting calls beforehand. */
  readonly partSizeBytes: number;
  /** Calls made so far, by operation. */
  readonly tally: ReadonlyMap<string, number>;
  readonly sink: EventSink<ImageEvent>;
  /** Called when it has turned out that blobs will probably travel. */
  readonly expectUploads?: (() => void) | undefined;
  /**
   * Uploads a blob that the repository lacks. `again`: although it was uploaded a moment ago.
   * Once `beginSignal` aborts, it is not begun any more.
   */
  readonly uploadBlob: (
    source: LayerSource,
    blob: Pick<Descriptor, 'digest' | 'sizeBytes'>,
    again: boolean,
    signal: AbortSignal,
    beginSignal: AbortSignal,
  ) => Promise<LayerReceipt>;
}

export function emitImage(context: ImageContext, event: Unnamed<ImageEvent>): void {
  context.sink.emit({ ...context.name, ...event });
}

/** Calls with retries and tells of each. @throws RegistryFault; the signal's reason */
export function callRegistry<T>(
  context: ImageContext,
  operation: string,
  signal: AbortSignal,
  call: () => Promise<T>,
): Promise<T> {
  return callWithRetry(call, context.retry, signal, (fault, attempt, delayMs) => {
    const { code, message } = fault.error;
    emitImage(context, { type: 'image-call-retried', operation, attempt, delayMs, code, message });
  });
}

/** What a caller is to see of a failed call. */
export function errorOf(error: unknown): unknown {
  return error instanceof RegistryFault ? error.error : error;
}

/** Settles as the work does, its failure as a caller is to see it. */
export async function forCaller<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw errorOf(error);
  }
}
