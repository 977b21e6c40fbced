import { expect, test } from 'vitest';
import type { ImageCall, ImageReceipt, LayerSnapshot, UploaderSnapshot } from '../../src/index.ts';
import { runProgram } from '../../src/cli/program.ts';
import { EMPTY_SNAPSHOT } from './fake-uploader.ts';
import { blobsOf, digestOf, layerName, plannedEvent, planOf, receiptOf } from './image-sample.ts';
import { type ImageSetup, setUpImage, until } from './image-setup.ts';

const PLAN = planOf(blobsOf(4, 3));
const PUSH = ['push', 'oci:out', 'team/app', '--json'];

interface Scene extends ImageSetup {
  readonly emit: NonNullable<ImageCall['onEvent']>;
  readonly finish: () => void;
  /** The layers that were being sent have ended. */
  readonly stop: () => void;
  readonly isDraining: () => boolean;
  readonly ended: Promise<number>;
}

/** A push that is under way, with these layers being sent. */
async function pushing(...sending: readonly number[]): Promise<Scene> {
  let call: ImageCall = {};
  let finish = (): void => undefined;
  let fail = (_reason: unknown): void => undefined;
  const setup = setUpImage({
    pushImage: (_request, given = {}) => {
      call = given;
      return new Promise<ImageReceipt>((resolve, reject) => {
        finish = () => resolve(receiptOf(PLAN));
        fail = reject;
      });
    },
  });
  const snapshot: UploaderSnapshot = { ...EMPTY_SNAPSHOT, layers: sending.map(layerOf) };
  setup.uploader.snapshot = () => snapshot;
  const destroy = setup.uploader.destroy.bind(setup.uploader);
  setup.uploader.destroy = (reason) => {
    fail(reason);
    return destroy(reason);
  };
  const ended = runProgram(setup.context, PUSH);
  await until(() => call.onEvent !== undefined);
  const emit: Scene['emit'] = (event) => call.onEvent?.(event);
  const isDraining = (): boolean => call.drainSignal?.aborted === true;
  const stop = (): void => fail(call.drainSignal?.reason);
  return { ...setup, emit, finish: () => finish(), stop, isDraining, ended };
}

function layerOf(index: number): LayerSnapshot {
  return {
    ...layerName(index),
    state: 'sending',
    digest: digestOf(index),
    sizeBytes: 1_000_000,
    hashedBytes: 0,
    acceptedBytes: 0,
    wiredBytes: 0,
    partsInFlight: 1,
  };
}

function codeOf({ context }: ImageSetup): string | undefined {
  return /"code":"(\w+)"/.exec(context.stdout.text)?.[1];
}

test('the first signal lets what is sent come to its end, and begins nothing new', async () => {
  const scene = await pushing(0, 1);
  scene.emit(plannedEvent(PLAN));
  scene.context.send('SIGINT');
  expect(scene.context.stderr.text).toContain('finishing 2 layers under way');
  expect(scene.isDraining()).toBe(true);
  expect(scene.context.stdout.text).toBe('');
  scene.stop();
  expect(await scene.ended).toBe(130);
  expect(codeOf(scene)).toBe('ABORTED');
  expect(scene.context.stderr.text).toContain('stay for the next push');
  expect(scene.uploader.calls).toEqual(['close']);
  expect(scene.context.signalListeners.size).toBe(0);
});

test('a signal that comes too late to stop anything changes nothing', async () => {
  const scene = await pushing();
  scene.context.send('SIGTERM');
  scene.finish();
  expect(await scene.ended).toBe(0);
  expect(JSON.parse(scene.context.stdout.text)).toMatchObject({ outcome: 'pushed' });
});

test('the second signal stops everything', async () => {
  const scene = await pushing(0);
  scene.emit(plannedEvent(PLAN));
  scene.context.send('SIGINT');
  scene.context.send('SIGINT');
  expect(await scene.ended).toBe(130);
  expect(scene.uploader.calls).toContain('destroy');
  expect(codeOf(scene)).toBe('ABORTED');
});
