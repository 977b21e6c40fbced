import { describe, expect, test } from 'vitest';
import { LaneLost } from '../../src/layer/lane-lost.ts';
import { completeLayer } from '../../src/layer/layer-completion.ts';
import type { RegistryFault } from '../../src/layer/ports.ts';
import { failureOf, finish, withClock } from './layer-rig.ts';
import { digestOfSize, faultOf, ModelRegistry, REPOSITORY } from './model-registry.ts';

const TARGET = { repository: REPOSITORY, uploadId: 'one' };
const DIGEST = digestOfSize(7);
const KEY = `${REPOSITORY}@${DIGEST}`;
const SILENT = faultOf('ambiguous', 'E_NETWORK');
const LOST = faultOf('upload-lost', 'E_UPLOAD_LOST');
const EXISTS = faultOf('already-exists', 'E_LAYER_REJECTED');

withClock();

/** A layer of which every byte is there. @param mayBeComplete an earlier process may have sent this call */
function completion(mayBeComplete = false) {
  const registry = new ModelRegistry();
  registry.uploads.set('one', 7);
  const retries: string[] = [];
  const abort = new AbortController();
  return {
    registry,
    retries,
    abort,
    complete: () =>
      completeLayer(
        registry,
        TARGET,
        DIGEST,
        { attemptsMax: 2, delayMs: 10, delayMsMax: 10 },
        abort.signal,
        (operation) => (fault: RegistryFault) => {
          retries.push(`${operation} ${fault.error.code}`);
        },
        mayBeComplete,
      ),
  };
}

describe('the Complete of a layer', () => {
  test('is called once where it is answered', async () => {
    const { registry, complete, retries } = completion();
    expect(await finish(complete())).toBe('uploaded');
    expect(registry.calls).toEqual(['completeUpload']);
    expect(retries).toEqual([]);
  });

  test('must name the digest that we computed', async () => {
    const { registry, complete } = completion();
    registry.answer('completeUpload', () => Promise.resolve(digestOfSize(8)));
    expect(await failureOf(complete())).toMatchObject({
      code: 'E_REGISTRY_PROTOCOL',
      message:
        `ECR completed the layer as ${digestOfSize(8)}, but its bytes have the digest ${DIGEST}; ` +
        'do not use the layer',
      details: {
        operation: 'CompleteLayerUpload',
        repository: REPOSITORY,
        expected: DIGEST,
        received: digestOfSize(8),
      },
    });
    expect(registry.calls).toEqual(['completeUpload']);
  });

  test('finds a layer that somebody else has stored meanwhile', async () => {
    const { registry, complete } = completion();
    registry.answer('completeUpload', EXISTS);
    expect(await finish(complete())).toBe('already-present');
  });

  test('whose answer was lost is sent again, and what is there then is ours', async () => {
    const { registry, complete, retries } = completion();
    registry.answer('completeUpload', SILENT, EXISTS);
    expect(await finish(complete())).toBe('uploaded');
    expect(retries).toEqual(['CompleteLayerUpload E_NETWORK']);
  });

  test('that an earlier process may have sent finds a layer that is ours', async () => {
    const { registry, complete } = completion(true);
    registry.answer('completeUpload', EXISTS);
    expect(await finish(complete())).toBe('uploaded');
  });

  test('that was throttled was not sent: a layer that is there is somebody else’s', async () => {
    const { registry, complete } = completion();
    registry.answer('completeUpload', faultOf('throttled', 'E_THROTTLED'), EXISTS);
    expect(await finish(complete())).toBe('already-present');
  });

  test('of a lost upload needs a new one', async () => {
    const { registry, complete } = completion();
    registry.answer('completeUpload', LOST);
    registry.layers.add(KEY);
    const error = await failureOf(complete());
    expect(error).toBeInstanceOf(LaneLost);
    expect(error).toMatchObject({ error: LOST.error, message: LOST.error.message });
    expect(registry.countOf('hasLayer')).toBe(0);
  });

  test('of an upload that is gone after a lost answer finds the layer that it was', async () => {
    const { registry, complete } = completion();
    registry.answer('completeUpload', SILENT, LOST);
    registry.layers.add(KEY);
    expect(await finish(complete())).toBe('uploaded');
    expect(registry.calls).toEqual(['completeUpload', 'completeUpload', 'hasLayer']);
  });

  test('of an upload that is gone with its layer needs a new one, also after a lost answer', async () => {
    const { registry, complete } = completion();
    registry.answer('completeUpload', SILENT, LOST);
    expect(await failureOf(complete())).toBeInstanceOf(LaneLost);
    expect(registry.countOf('hasLayer')).toBe(1);
  });

  test('that is never answered finds the layer before it is called a failure', async () => {
    const { registry, complete, retries } = completion();
    registry.answer('completeUpload', SILENT, SILENT);
    registry.answer('hasLayer', SILENT);
    registry.layers.add(KEY);
    expect(await finish(complete())).toBe('uploaded');
    expect(retries).toEqual([
      'CompleteLayerUpload E_NETWORK',
      'BatchCheckLayerAvailability E_NETWORK',
    ]);
  });

  test('that is never answered, and has stored nothing, fails as it failed', async () => {
    const { registry, complete } = completion();
    const last = faultOf('ambiguous', 'E_TIMEOUT');
    registry.answer('completeUpload', SILENT, last);
    expect(await failureOf(complete())).toBe(last.error);
  });

  test('that failed for good after a lost answer looks the layer up too', async () => {
    const { registry, complete } = completion();
    registry.answer('completeUpload', SILENT, faultOf('final', 'E_ACCESS_DENIED'));
    registry.layers.add(KEY);
    expect(await finish(complete())).toBe('uploaded');
  });

  test('that failed for good at once is not looked up', async () => {
    const { registry, complete } = completion();
    const denied = faultOf('final', 'E_ACCESS_DENIED');
    registry.answer('completeUpload', denied);
    registry.layers.add(KEY);
    expect(await failureOf(complete())).toBe(denied.error);
    expect(registry.calls).toEqual(['completeUpload']);
  });

  test('fails with what ECR said of it where the layer cannot be looked up', async () => {
    const { registry, complete } = completion();
    registry.answer('completeUpload', SILENT, SILENT);
    registry.answer('hasLayer', faultOf('final', 'E_ACCESS_DENIED'));
    expect(await failureOf(complete())).toBe(SILENT.error);
  });

  test('fails with the reason of an abort', async () => {
    const { registry, complete, abort } = completion();
    const reason = new Error('enough');
    registry.answer('completeUpload', SILENT, SILENT);
    registry.answer('hasLayer', async () => {
      abort.abort(reason);
      throw SILENT;
    });
    expect(await failureOf(complete())).toBe(reason);
  });

  test('lets through what is no answer of the registry', async () => {
    const { registry, complete } = completion(true);
    const defect = new TypeError('a defect');
    registry.answer('completeUpload', () => Promise.reject(defect));
    expect(await failureOf(complete())).toBe(defect);
    expect(registry.calls).toEqual(['completeUpload']);
  });
});
