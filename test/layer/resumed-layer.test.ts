import { describe, expect, test, vi } from 'vitest';
import { LaneLost } from '../../src/layer/lane-lost.ts';
import { partMemoryBytes } from '../../src/layer/part-memory.ts';
import { planParts } from '../../src/layer/part-plan.ts';
import { type PreparedPart, RegistryFault } from '../../src/layer/ports.ts';
import { Resumption } from '../../src/layer/resumption.ts';
import { WatchedSource } from '../../src/layer/watched-source.ts';
import { MIB } from '../../src/limits.ts';
import { expectAllGivenBack, failureOf, finish, layerRig, withClock } from './layer-rig.ts';
import { faultOf } from './model-registry.ts';
import { ModelSource, type ModelSourceOptions } from './model-source.ts';
import { savedAt } from './model-workshop.ts';

const PART_BYTES = 5 * MIB;

withClock();

interface Setting extends Partial<ModelSourceOptions> {
  /** Parts that the journal knows. Default 1. */
  readonly knownCount?: number;
  /** Bytes that the registry has. */
  readonly registryBytes: number;
  readonly isHashRestored?: boolean;
}

/** A layer of 22 MiB in five parts, of which an earlier process has sent some. */
async function resumed({
  knownCount = 1,
  registryBytes,
  isHashRestored = false,
  ...source
}: Setting) {
  const rig = layerRig();
  const { context, registry, workshop, progress, abort } = rig;
  const model = new ModelSource({ sizeBytes: 22 * MIB, ...source });
  const watched = await finish(WatchedSource.open(model, 2_000, progress, abort.signal));
  registry.uploads.set('one', registryBytes);
  const reached = {
    endByte: knownCount * PART_BYTES,
    partCount: knownCount,
    savedHash: isHashRestored ? savedAt(knownCount * PART_BYTES) : undefined,
  };
  const hash = workshop.openHash('the layer', { saved: reached.savedHash });
  const resumption = new Resumption({
    ...context,
    target: { repository: 'team/app', uploadId: 'one' },
    plan: planParts(watched.sizeBytes, PART_BYTES, 'the layer'),
    source: watched,
    sourceLabel: 'the layer',
    hash,
    progress,
    reached,
    isHashRestored,
  });
  const giveBack = async (): Promise<void> => {
    await watched.close();
    hash.dispose();
    await expectAllGivenBack(rig, model);
  };
  return { rig, resumption, giveBack, run: () => resumption.run(abort.signal) };
}

describe('an upload that is taken up', () => {
  test('sends the part behind what the journal knows, alone, and goes on behind it', async () => {
    const { rig, run, resumption, giveBack } = await resumed({ registryBytes: PART_BYTES });
    const states: string[] = [];
    rig.registry.answer('sendPart', async (own, target, part, gate) => {
      states.push(rig.progress.state);
      expect(target).toEqual({ repository: 'team/app', uploadId: 'one' });
      expect(part).toMatchObject({ firstByte: PART_BYTES, endByte: 2 * PART_BYTES });
      expect(gate).toBeUndefined();
      expect(rig.progress.snapshot()).toMatchObject({ partsInFlight: 1, wiredBytes: PART_BYTES });
      expect(rig.progress.movements.map(({ key }) => key)).toEqual(['part 1']);
      await new Promise((resolve) => setTimeout(resolve, 30));
      return own();
    });
    expect(await finish(run())).toEqual({
      endByte: 2 * PART_BYTES,
      partCount: 2,
      savedHash: savedAt(2 * PART_BYTES),
    });
    expect(states).toEqual(['sending']);
    expect(rig.progress.gauge).toBeUndefined();
    expect([resumption.sentBytes, resumption.resumedBytes]).toEqual([PART_BYTES, PART_BYTES]);
    expect(rig.events).toEqual([
      expect.objectContaining({
        type: 'layer-resumed',
        uploadId: 'one',
        resumedBytes: PART_BYTES,
      }),
      expect.objectContaining({
        type: 'part-acknowledged',
        partIndex: 1,
        firstByte: PART_BYTES,
        endByte: 2 * PART_BYTES,
        attemptCount: 1,
        durationMs: 30,
      }),
    ]);
    expect(rig.workshop.jobs).toEqual([
      `fold 0-${PART_BYTES}`,
      `preparePart ${PART_BYTES}-${2 * PART_BYTES}`,
    ]);
    await giveBack();
  });

  test('tells that it hashes what is there, and waits for that', async () => {
    const seen: unknown[] = [];
    const { rig, run } = await resumed({
      registryBytes: PART_BYTES,
      beforeRead: async () => {
        seen.push([rig.progress.state, rig.progress.movements.map((each) => each.waitingFor)]);
      },
    });
    await finish(run());
    expect(seen).toEqual([
      ['hashing', ['preparation']],
      ['sending', ['preparation']],
    ]);
    expect(rig.progress.snapshot().hashedBytes).toBe(PART_BYTES);
  });

  test('reads what is there without folding it where the digest is that far', async () => {
    const { rig, run } = await resumed({
      knownCount: 2,
      registryBytes: 2 * PART_BYTES,
      isHashRestored: true,
      rereadable: false,
    });
    expect(await finish(run())).toMatchObject({ partCount: 3, savedHash: savedAt(3 * PART_BYTES) });
    expect(rig.workshop.jobs).toEqual([`preparePart ${2 * PART_BYTES}-${3 * PART_BYTES}`]);
  });

  test('reads nothing where nothing is known to be there', async () => {
    const { rig, run } = await resumed({ knownCount: 0, registryBytes: 0 });
    expect(await finish(run())).toMatchObject({ partCount: 1 });
    expect(rig.workshop.jobs).toEqual([`preparePart 0-${PART_BYTES}`]);
    expect(rig.eventsOf('layer-resumed')).toMatchObject([{ resumedBytes: 0 }]);
    expect(rig.context.memory.allocatedBytes).toBe(partMemoryBytes(PART_BYTES));
  });

  test('sends nothing where all is there', async () => {
    const { rig, run, resumption, giveBack } = await resumed({
      knownCount: 2,
      registryBytes: 10 * MIB,
      sizeBytes: 10 * MIB,
    });
    expect(await finish(run())).toMatchObject({ endByte: 10 * MIB, partCount: 2 });
    expect(rig.registry.calls).toEqual([]);
    expect([resumption.sentBytes, resumption.resumedBytes]).toEqual([0, 10 * MIB]);
    expect(rig.eventsOf('layer-resumed')).toMatchObject([{ resumedBytes: 10 * MIB }]);
    await giveBack();
  });

  test('sends nothing where a stream ends there', async () => {
    const { rig, run, giveBack } = await resumed({
      knownCount: 2,
      registryBytes: 10 * MIB,
      sizeBytes: 10 * MIB,
      isSizeKnown: false,
    });
    expect(await finish(run())).toMatchObject({ endByte: 10 * MIB, partCount: 2 });
    expect(rig.registry.calls).toEqual([]);
    await giveBack();
  });

  test('repeats its part, tells of it and counts it', async () => {
    const { rig, run, resumption } = await resumed({ registryBytes: PART_BYTES });
    rig.registry.answer('sendPart', faultOf('throttled', 'E_THROTTLED'));
    await finish(run());
    expect(rig.eventsOf('call-retried')).toMatchObject([
      { operation: 'UploadLayerPart', partIndex: 1, attempt: 1, code: 'E_THROTTLED' },
    ]);
    expect(rig.eventsOf('part-acknowledged')).toMatchObject([{ attemptCount: 2 }]);
    expect(resumption.sentBytes).toBe(2 * PART_BYTES);
    expect(rig.totals.resentBytes).toBe(PART_BYTES);
  });
});

describe('a registry that has more than the journal knows', () => {
  test('is gone on with where it is, and what lies between is read, not sent', async () => {
    const { rig, run, resumption, giveBack } = await resumed({ registryBytes: 20 * MIB });
    expect(await finish(run())).toEqual({
      endByte: 20 * MIB,
      partCount: 4,
      savedHash: savedAt(20 * MIB),
    });
    expect(rig.registry.calls).toEqual(['sendPart 5-10']);
    expect([resumption.sentBytes, resumption.resumedBytes]).toEqual([PART_BYTES, 20 * MIB]);
    // It went over the wire for nothing.
    expect(rig.totals.resentBytes).toBe(PART_BYTES);
    expect(rig.eventsOf('layer-resumed')).toMatchObject([{ resumedBytes: 20 * MIB }]);
    expect(rig.eventsOf('part-acknowledged')).toEqual([]);
    expect(rig.workshop.jobs.slice(2)).toEqual([
      `fold ${10 * MIB}-${15 * MIB}`,
      `fold ${15 * MIB}-${20 * MIB}`,
    ]);
    expect(rig.progress.gauge).toBeUndefined();
    await giveBack();
  });

  test('may have all of it, the short last part too', async () => {
    const { run } = await resumed({ registryBytes: 22 * MIB });
    expect(await finish(run())).toMatchObject({ endByte: 22 * MIB, partCount: 5 });
  });

  test('may have a stream’s last part, which is short', async () => {
    const { run } = await resumed({
      registryBytes: 12 * MIB,
      sizeBytes: 12 * MIB,
      isSizeKnown: false,
    });
    expect(await finish(run())).toMatchObject({ endByte: 12 * MIB, partCount: 3 });
  });

  test.each([
    { what: 'ends within a part of ours', registryBytes: 12 * MIB },
    { what: 'ends behind the layer', registryBytes: 23 * MIB },
    { what: 'has less than the journal knew', registryBytes: 3 * MIB },
    { what: 'ends within the part that was sent', registryBytes: 9 * MIB },
  ])('and $what has another upload: ours begins anew', async ({ registryBytes }) => {
    const { rig, run, giveBack } = await resumed({ registryBytes });
    const error = await failureOf(run());
    expect(error).toBeInstanceOf(LaneLost);
    expect(error).toMatchObject({ error: { code: 'E_PART_REJECTED' } });
    expect(rig.eventsOf('layer-resumed')).toEqual([]);
    await giveBack();
  });

  test('and does not say where it is cannot be gone on with', async () => {
    const { rig, run } = await resumed({ registryBytes: PART_BYTES });
    rig.registry.answer('sendPart', faultOf('part-out-of-order', 'E_PART_REJECTED'));
    expect(await failureOf(run())).toBeInstanceOf(LaneLost);
    expect(rig.totals.resentBytes).toBe(0);
  });
});

describe('an upload that cannot be taken up', () => {
  test('for ECR has forgotten it begins anew', async () => {
    const { rig, run, resumption, giveBack } = await resumed({ registryBytes: PART_BYTES });
    rig.registry.uploads.clear();
    const error = await failureOf(run());
    expect(error).toBeInstanceOf(LaneLost);
    expect(error).toMatchObject({ error: { code: 'E_UPLOAD_LOST' } });
    expect(resumption.sentBytes).toBe(PART_BYTES);
    expect(rig.progress.gauge).toBeUndefined();
    await giveBack();
  });

  test('for the thread with its digest died begins anew', async () => {
    const { rig, run, giveBack } = await resumed({ registryBytes: PART_BYTES });
    rig.workshop.fail('fold');
    const error = await failureOf(run());
    expect(error).toBeInstanceOf(LaneLost);
    expect(error).toMatchObject({ error: { code: 'E_WORKER_LOST' } });
    await giveBack();
  });

  test('for a registry protocol that nobody knows begins anew', async () => {
    const { rig, run } = await resumed({ registryBytes: PART_BYTES });
    rig.registry.answer('sendPart', faultOf('final', 'E_REGISTRY_PROTOCOL'));
    expect(await failureOf(run())).toBeInstanceOf(LaneLost);
  });

  test('for its network is gone fails with that', async () => {
    const { rig, run } = await resumed({ registryBytes: PART_BYTES });
    const faults = [1, 2, 3].map(() => faultOf('ambiguous', 'E_NETWORK'));
    rig.registry.answer('sendPart', ...faults);
    const error = await failureOf(run());
    expect(error).not.toBeInstanceOf(RegistryFault);
    expect(error).toBe(faults[2]?.error);
  });

  test('for an abort fails with its reason', async () => {
    const { rig, run, giveBack } = await resumed({ registryBytes: PART_BYTES });
    const reason = new Error('enough');
    rig.registry.answer('sendPart', async () => {
      rig.abort.abort(reason);
      throw faultOf('ambiguous', 'E_NETWORK');
    });
    expect(await failureOf(run())).toBe(reason);
    await giveBack();
  });

  test('for a defect fails with that', async () => {
    const { rig, run } = await resumed({ registryBytes: PART_BYTES });
    const defect = new TypeError('a defect');
    rig.registry.answer('sendPart', () => Promise.reject(defect));
    expect(await failureOf(run())).toBe(defect);
  });
});

test('the part that is sent has its memory and its turn until it is answered', async () => {
  const { rig, run } = await resumed({ registryBytes: PART_BYTES });
  let sent: PreparedPart | undefined;
  let answer = (): void => undefined;
  rig.registry.answer('sendPart', async (own, _target, part) => {
    sent = part;
    await new Promise<void>((resolve) => (answer = resolve));
    return own();
  });
  const running = run();
  await vi.advanceTimersByTimeAsync(10);
  expect(rig.context.partPermits.activeCount).toBe(1);
  expect(sent?.endByte).toBe(2 * PART_BYTES);
  answer();
  await finish(running);
  await vi.advanceTimersByTimeAsync(0);
  expect(rig.context.partPermits.activeCount).toBe(0);
});
