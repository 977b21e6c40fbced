/** An uploader whose layers end as the test says, by the label of their source. */

import type {
  Digest,
  LayerEvent,
  LayerReceipt,
  LayerRequest,
  UploadCall,
  Uploader,
  UploaderSnapshot,
} from '../../src/index.ts';

/** How one layer ends: well, with an error, or only when it is aborted. */
export type FakeEnding = 'uploaded' | 'already-present' | 'running' | 'waiting' | Error;

export interface FakeUploader extends Uploader {
  readonly requests: LayerRequest[];
  readonly calls: string[];
  /** Lets a layer that is `running` end well. */
  finish(label: string): void;
}

/** What it answers about images. */
export type FakeImages = Partial<Pick<Uploader, 'planImage' | 'pushImage' | 'verifyImage'>>;

export const DIGEST: Digest = `sha256:${'ab'.repeat(32)}`;

export function fakeUploader(
  endings: Readonly<Record<string, FakeEnding>>,
  images: FakeImages = {},
): FakeUploader {
  const requests: LayerRequest[] = [];
  const calls: string[] = [];
  const finishers = new Map<string, () => void>();
  const aborters = new Set<(reason: unknown) => void>();
  let idle: Promise<unknown> = Promise.resolve();

  async function upload(request: LayerRequest, call: UploadCall = {}): Promise<LayerReceipt> {
    const label = request.source.label;
    const ending = endings[label] ?? 'uploaded';
    const name = { repository: request.repository, source: label, layerId: requests.length };
    const emit = (event: LayerEvent): void => call.onEvent?.(event);
    if (ending !== 'waiting')
      emit({ ...name, type: 'layer-started', sizeBytes: 10, digest: undefined });
    if (ending === 'running' || ending === 'waiting') {
      await new Promise<void>((resolve, reject) => {
        finishers.set(label, resolve);
        aborters.add(reject);
        call.signal?.addEventListener('abort', () => reject(call.signal?.reason), { once: true });
      });
    }
    if (ending instanceof Error) throw ending;
    const outcome = ending === 'already-present' ? ending : 'uploaded';
    const sentBytes = outcome === 'uploaded' ? 10 : 0;
    const receipt: LayerReceipt = {
      repository: request.repository,
      source: label,
      digest: DIGEST,
      sizeBytes: 10,
      outcome,
      partCount: outcome === 'uploaded' ? 1 : 0,
      sentBytes,
      resumedBytes: 0,
      durationMs: 5,
    };
    emit({ ...name, type: 'layer-completed', receipt });
    return receipt;
  }

  /** Counts among what a close waits for. */
  function track<Result>(running: Promise<Result>): Promise<Result> {
    idle = Promise.allSettled([idle, running]);
    return running;
  }

  const uploader: FakeUploader = {
    requests,
    calls,
    finish: (label) => finishers.get(label)?.(),
    uploadLayer: (request, call) => {
      requests.push(request);
      return track(upload(request, call));
    },
    planImage: (...words) => track((images.planImage ?? noImage)(...words)),
    pushImage: (...words) => track((images.pushImage ?? noImage)(...words)),
    verifyImage: (...words) => track((images.verifyImage ?? noImage)(...words)),
    snapshot: () => EMPTY_SNAPSHOT,
    close: async () => {
      calls.push('close');
      await idle;
    },
    destroy: async (reason) => {
      calls.push('destroy');
      for (const abort of aborters) abort(reason);
      await idle;
    },
    [Symbol.asyncDispose]: () => uploader.close(),
  };
  return uploader;
}

function noImage(): Promise<never> {
  return Promise.reject(new Error('no images in this test'));
}

export const EMPTY_SNAPSHOT: UploaderSnapshot = {
  layers: [],
  uploadedLayerCount: 0,
  presentLayerCount: 0,
  failedLayerCount: 0,
  acceptedBytes: 0,
  resentBytes: 0,
  bytesInMemory: 0,
};
