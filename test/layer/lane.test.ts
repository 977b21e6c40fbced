import { getEventListeners } from 'node:events';
import { describe, expect, test, vi } from 'vitest';
import { LongshoreError } from '../../src/errors.ts';
import type { JournalIdentity, LayerJournal } from '../../src/layer/layer-journal.ts';
import { PartMemory, partMemoryBytes, writeWiredBytes } from '../../src/layer/part-memory.ts';
import { writePhase } from '../../src/layer/part-phase.ts';
import { MIB } from '../../src/limits.ts';
import { expectAllGivenBack, failureOf, finish, layerRig, withClock } from './layer-rig.ts';
import { ModelJournals } from './model-journals.ts';
import { digestOfSize, faultOf } from './model-registry.ts';
import { ModelSource } from './model-source.ts';

const PART_BYTES = 5 * MIB;

withClock();

/** So many parts, the last one of a MiB. */
function sourceOf(partCount: number): ModelSource {
  return new ModelSource({ sizeBytes: (partCount - 1) * PART_BYTES + MIB });
}

/** A request that ends with its abort alone. */
function stuck(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

/** A time-out of a part, which had waited for that. */
function timeOut(waitedMs: number): ReturnType<typeof faultOf> {
  return faultOf('ambiguous', 'E_TIMEOUT', {}, { waitedMs });
}

describe('the parts of a layer', () => {
  test('travel at once, all but the first with their tails held back', async () => {
    const rig = layerRig();
    const gates: boolean[] = [];
    let underway = 0;
    const most: number[] = [];
    const watch = async (own: () => Promise<number>, gate: Promise<void> | undefined) => {
      gates.push(gate !== undefined);
      underway += 1;
      most.push(underway);
      await new Promise((resolve) => setTimeout(resolve, 10));
      const lastByte = await own();
      underway -= 1;
      return lastByte;
    };
    for (let part = 0; part < 6; part += 1) {
      rig.registry.answer('sendPart', (own, _target, _part, gate) => watch(own, gate));
    }
    await finish(rig.upload(sourceOf(6)));
    expect(gates.slice(0, 4)).toEqual([false, true, true, true]);
    expect(Math.max(...most)).toBe(4);
    // One part is on the wire for each that was acknowledged, and none is refused for its order.
    expect(rig.registry.countOf('sendPart')).toBe(6);
  });

  test('are prepared no further ahead than the window', async () => {
    const rig = layerRig();
    rig.registry.answer('sendPart', (_own, _target, _part, _gate, signal) => stuck(signal));
    const upload = failureOf(rig.upload(sourceOf(12)));
    await vi.advanceTimersByTimeAsync(50);
    expect(rig.workshop.jobs).toHaveLength(4);
    expect(rig.progress.snapshot().partsInFlight).toBe(4);
    rig.abort.abort(new Error('enough'));
    await upload;
  });

  test('are told of only when the tail of the next one has been let go', async () => {
    const rig = layerRig({ partsInFlight: 2 });
    let toldCount: number | undefined;
    rig.registry.answer(
      'sendPart',
      async (own) => {
        await new Promise((resolve) => setTimeout(resolve, 10));
        return own();
      },
      async (own, _target, _part, gate) => {
        await gate;
        toldCount = rig.eventsOf('part-acknowledged').length;
        return own();
      },
    );
    await finish(rig.upload(sourceOf(3)));
    expect(toldCount).toBe(0);
    expect(rig.eventsOf('part-acknowledged')).toHaveLength(3);
  });

  test('give what was seen of the wire to the memory: a line that is full needs no more of it', async () => {
    const noted: (number | undefined)[] = [];
    class Watched extends PartMemory {
      override noteWire(msPerByte: number | undefined): void {
        noted.push(msPerByte);
        super.noteWire(msPerByte);
      }
    }
    const rig = layerRig({ memory: new Watched(100 * MIB, 100 * MIB), partsInFlight: 1 });
    rig.registry.answer('sendPart', async (own, _target, { shared }) => {
      writeWiredBytes(shared, 0);
      await new Promise((resolve) => setTimeout(resolve, 100));
      return own();
    });
    await finish(rig.upload(sourceOf(3)), 100);
    const bodyBytes = 4 * Math.ceil(PART_BYTES / 3) + 100;
    // The last part is too small for its time to say anything.
    expect(noted).toEqual([100 / bodyBytes, 0, undefined]);
  });

  test('of a stream are asked for no further than to the short one that ends it', async () => {
    const asked: number[] = [];
    const rig = layerRig();
    const source = new ModelSource({
      sizeBytes: 12 * MIB,
      isSizeKnown: false,
      beforeRead: async (firstByte) => void asked.push(firstByte),
    });
    await finish(rig.upload(source));
    expect(asked).toEqual([0, PART_BYTES, 2 * PART_BYTES]);
  });

  test('tell how long each has taken, from its turn to its acknowledgement', async () => {
    const rig = layerRig({ partsInFlight: 1 });
    rig.registry.answer('sendPart', async (own) => {
      await new Promise((resolve) => setTimeout(resolve, 40));
      return own();
    });
    await finish(rig.upload(sourceOf(1)), 40);
    expect(rig.eventsOf('part-acknowledged')).toMatchObject([{ durationMs: 40, attemptCount: 1 }]);
  });
});

describe('a part that fails', () => {
  test('is sent again after a wait, told of, and counted', async () => {
    const rig = layerRig({
      partsInFlight: 1,
      retry: { attemptsMax: 3, delayMs: 10, delayMsMax: 10 },
    });
    rig.registry.answer('sendPart', (own) => own(), faultOf('throttled', 'E_THROTTLED'));
    const source = sourceOf(3);
    expect(await finish(rig.upload(source))).toMatchObject({
      partCount: 3,
      sentBytes: 3 * PART_BYTES + MIB,
    });
    const [retry] = rig.eventsOf('call-retried');
    expect(retry).toMatchObject({
      operation: 'UploadLayerPart',
      partIndex: 1,
      attempt: 1,
      code: 'E_THROTTLED',
      message: 'E_THROTTLED by the test',
    });
    expect(retry?.delayMs).toBeGreaterThanOrEqual(5);
    expect(retry?.delayMs).toBeLessThanOrEqual(10);
    expect(rig.totals.resentBytes).toBe(PART_BYTES);
    expect(rig.eventsOf('part-acknowledged')).toMatchObject([
      { partIndex: 0, attemptCount: 1 },
      { partIndex: 1, attemptCount: 2 },
      { partIndex: 2, attemptCount: 1 },
    ]);
    expect(rig.eventsOf('layer-stalled')).toEqual([]);
    await expectAllGivenBack(rig, source);
  });

  test('is no reason to send fewer at once, and is not on the wire while it waits', async () => {
    const rig = layerRig({ retry: { attemptsMax: 3, delayMs: 1_000, delayMsMax: 1_000 } });
    rig.registry.answer('sendPart', async (_own, _target, { shared, bodyLengthBytes }) => {
      writeWiredBytes(shared, bodyLengthBytes);
      throw faultOf('throttled', 'E_THROTTLED');
    });
    const upload = rig.upload(sourceOf(1));
    await vi.advanceTimersByTimeAsync(490);
    expect(rig.eventsOf('call-retried')).toHaveLength(1);
    expect(rig.progress.movements).toEqual([]);
    expect(rig.progress.snapshot()).toMatchObject({ partsInFlight: 0, wiredBytes: 0 });
    await finish(upload);
    expect(rig.eventsOf('window-changed')).toEqual([]);
  });

  test('while its tail is held leaves no hold behind', async () => {
    const rig = layerRig({ tailHoldMs: 1_000, partsInFlight: 2 });
    rig.registry.answer(
      'sendPart',
      async (own) => {
        await new Promise((resolve) => setTimeout(resolve, 500));
        return own();
      },
      async (_own, _target, { shared }) => {
        writeWiredBytes(shared, 1);
        throw faultOf('ambiguous', 'E_NETWORK');
      },
    );
    const upload = rig.upload(sourceOf(2));
    await vi.advanceTimersByTimeAsync(100);
    // The answer to the first part is all that is waited for: fewer are sent at once now.
    expect(vi.getTimerCount()).toBe(1);
    expect(await finish(upload)).toMatchObject({ partCount: 2 });
  });

  test('waits before it is sent again', async () => {
    const rig = layerRig({ retry: { attemptsMax: 3, delayMs: 1_000, delayMsMax: 1_000 } });
    rig.registry.answer('sendPart', faultOf('throttled', 'E_THROTTLED'));
    const upload = rig.upload(sourceOf(1));
    await vi.advanceTimersByTimeAsync(490);
    expect(rig.registry.countOf('sendPart')).toBe(1);
    await finish(upload);
    expect(rig.registry.countOf('sendPart')).toBe(2);
  });

  test('and had landed all the same is taken for landed', async () => {
    const rig = layerRig({ partsInFlight: 1 });
    rig.registry.answer('sendPart', async (own) => {
      await own();
      throw faultOf('ambiguous', 'E_NETWORK');
    });
    const source = sourceOf(2);
    expect(await finish(rig.upload(source))).toMatchObject({ partCount: 2 });
    expect(rig.registry.calls.filter((call) => call.startsWith('sendPart'))).toEqual([
      'sendPart 0-5',
      'sendPart 0-5',
      'sendPart 5-6',
    ]);
    await expectAllGivenBack(rig, source);
  });

  test('too often is given up, with the last fault', async () => {
    const rig = layerRig();
    const faults = [1, 2, 3].map(() => faultOf('ambiguous', 'E_NETWORK'));
    rig.registry.answer('sendPart', ...faults);
    const source = sourceOf(1);
    expect(await failureOf(rig.upload(source))).toBe(faults[2]?.error);
    expect(rig.eventsOf('call-retried').map(({ attempt }) => attempt)).toEqual([1, 2]);
    expect(rig.eventsOf('layer-stalled')).toEqual([]);
    await expectAllGivenBack(rig, source);
  });

  test('for good is given up at once', async () => {
    const rig = layerRig();
    const fault = faultOf('final', 'E_PART_REJECTED');
    rig.registry.answer('sendPart', fault);
    const source = sourceOf(9);
    expect(await failureOf(rig.upload(source))).toBe(fault.error);
    expect(rig.eventsOf('call-retried')).toEqual([]);
    await expectAllGivenBack(rig, source);
  });

  test('with what is no answer of the registry is given up with that', async () => {
    const rig = layerRig();
    const defect = new TypeError('a defect');
    rig.registry.answer('sendPart', () => Promise.reject(defect));
    const source = sourceOf(9);
    expect(await failureOf(rig.upload(source))).toBe(defect);
    await expectAllGivenBack(rig, source);
  });

  test('when it is prepared is given up, and what is on the wire with it', async () => {
    const rig = layerRig();
    const defect = new Error('no such file');
    rig.registry.answer('sendPart', (_own, _target, _part, _gate, signal) => {
      rig.workshop.fail('preparePart', defect);
      return stuck(signal);
    });
    const source = sourceOf(9);
    expect(await failureOf(rig.upload(source))).toBe(defect);
    await expectAllGivenBack(rig, source);
  });

  test('and whose answers keep naming another byte says so', async () => {
    const rig = layerRig();
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      rig.registry.answer('sendPart', () => Promise.resolve(7));
    }
    expect(await failureOf(rig.upload(sourceOf(1)))).toMatchObject({
      code: 'E_REGISTRY_PROTOCOL',
      message:
        'ECR keeps answering UploadLayerPart with a lastByteReceived that is not the last byte sent',
      details: {
        operation: 'UploadLayerPart',
        repository: 'team/app',
        expected: `lastByteReceived ${MIB - 1}`,
        received: 'another byte',
      },
    });
    expect(rig.eventsOf('call-retried')).toMatchObject([
      { partIndex: 0, attempt: 1, code: 'E_REGISTRY_PROTOCOL' },
      { partIndex: 0, attempt: 2, code: 'E_REGISTRY_PROTOCOL' },
    ]);
  });

  test('is not called by an earlier fault once it has been answered', async () => {
    const rig = layerRig({ partsInFlight: 1 });
    rig.registry.answer('sendPart', faultOf('ambiguous', 'E_NETWORK'), () => Promise.resolve(7));
    await finish(rig.upload(sourceOf(1)));
    expect(rig.eventsOf('call-retried').map(({ code }) => code)).toEqual([
      'E_NETWORK',
      'E_REGISTRY_PROTOCOL',
    ]);
  });

  test('in a registry whose state is not ours makes the layer start again', async () => {
    const rig = layerRig();
    const fault = faultOf('part-out-of-order', 'E_PART_REJECTED', { nextByte: 7 });
    rig.registry.answer('sendPart', fault);
    const source = sourceOf(3);
    expect(await finish(rig.upload(source))).toMatchObject({ partCount: 3 });
    expect(rig.eventsOf('layer-restarted')).toMatchObject([{ code: 'E_PART_REJECTED' }]);
    await expectAllGivenBack(rig, source);
  });
});

describe('a part that stands still', () => {
  test('on the wire is told of when it is sent again, and fewer travel from then on', async () => {
    const rig = layerRig();
    rig.registry.answer('sendPart', async (_own, _target, { shared }) => {
      writePhase(shared, 'socket');
      throw timeOut(700);
    });
    await finish(rig.upload(sourceOf(3)));
    expect(rig.eventsOf('layer-stalled')).toMatchObject([
      { partIndex: 0, waitingFor: 'socket', waitedMs: 700, action: 'new-connection' },
    ]);
    expect(rig.eventsOf('window-changed')[0]).toMatchObject({ partsInFlight: 2 });
    expect(rig.eventsOf('layer-stalled')[0]).not.toHaveProperty('operation');
  });

  test('for good is told of as what the upload was given up for', async () => {
    const rig = layerRig({ retry: { attemptsMax: 1, delayMs: 1, delayMsMax: 1 } });
    rig.registry.answer('sendPart', async (_own, _target, { shared }) => {
      writePhase(shared, 'reply');
      throw timeOut(900);
    });
    expect(await failureOf(rig.upload(sourceOf(1)))).toMatchObject({ code: 'E_TIMEOUT' });
    expect(rig.eventsOf('layer-stalled')).toMatchObject([
      { partIndex: 0, waitingFor: 'reply', waitedMs: 900, action: 'failed' },
    ]);
  });

  test('behind another, with its tail held for too long, is given up, and fewer travel', async () => {
    const rig = layerRig({ tailHoldMs: 1_000 });
    let isFirst = true;
    rig.registry.answer('sendPart', async (own) => {
      isFirst = false;
      await new Promise((resolve) => setTimeout(resolve, 1_200));
      return own();
    });
    const source = sourceOf(3);
    expect(await finish(rig.upload(source))).toMatchObject({ partCount: 3 });
    expect(isFirst).toBe(false);
    expect(rig.eventsOf('layer-stalled')).toEqual([
      expect.objectContaining({
        partIndex: 1,
        waitingFor: 'predecessor',
        waitedMs: 1_000,
        action: 'narrower-window',
      }),
      expect.objectContaining({ partIndex: 2, waitingFor: 'predecessor' }),
    ]);
    expect(rig.eventsOf('window-changed').map(({ partsInFlight }) => partsInFlight)).toEqual([
      2, 1,
    ]);
    expect(rig.eventsOf('call-retried')).toEqual([]);
    await expectAllGivenBack(rig, source);
  });

  test('is not held by a registry that has not seen its first byte', async () => {
    const rig = layerRig({ tailHoldMs: 1_000, partsInFlight: 2 });
    rig.registry.answer(
      'sendPart',
      async (own) => {
        await new Promise((resolve) => setTimeout(resolve, 2_900));
        return own();
      },
      async (own) => {
        await new Promise((resolve) => setTimeout(resolve, 2_600));
        return own();
      },
    );
    expect(await finish(rig.upload(sourceOf(2)))).toMatchObject({ partCount: 2 });
    expect(rig.eventsOf('layer-stalled')).toEqual([]);
  });

  test('is told of no more once its tail has gone', async () => {
    const rig = layerRig({ tailHoldMs: 1_000, partsInFlight: 2 });
    rig.registry.answer(
      'sendPart',
      (own) => own(),
      async (own) => {
        const lastByte = await own();
        await new Promise((resolve) => setTimeout(resolve, 5_000));
        return lastByte;
      },
    );
    await finish(rig.upload(sourceOf(2)));
    expect(rig.eventsOf('layer-stalled')).toEqual([]);
  });

  test('is sent again only when nobody touches its memory any more', async () => {
    const rig = layerRig({ tailHoldMs: 1_000, partsInFlight: 2 });
    let isTouched = false;
    const touched: boolean[] = [];
    rig.registry.answer(
      'sendPart',
      async (own) => {
        await new Promise((resolve) => setTimeout(resolve, 1_500));
        return own();
      },
      async (_own, _target, { shared }, _gate, signal) => {
        writeWiredBytes(shared, 1);
        isTouched = true;
        await stuck(signal).catch(() => undefined);
        await new Promise((resolve) => setTimeout(resolve, 1_000));
        isTouched = false;
        throw signal.reason;
      },
      async (own) => {
        touched.push(isTouched);
        return own();
      },
    );
    const source = sourceOf(2);
    expect(await finish(rig.upload(source))).toMatchObject({ partCount: 2 });
    expect(touched).toEqual([false]);
    await expectAllGivenBack(rig, source);
  });
});

test('a late answer to a part that was given up does nothing to the next attempt', async () => {
  const rig = layerRig({ tailHoldMs: 1_000 });
  rig.registry.answer(
    'sendPart',
    async (own) => {
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      return own();
    },
    async (_own, _target, { shared, endByte }, _gate, signal) => {
      writeWiredBytes(shared, 1);
      await stuck(signal).catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, 100));
      return endByte - 1;
    },
  );
  const source = sourceOf(3);
  expect(await finish(rig.upload(source))).toMatchObject({ partCount: 3 });
  expect(rig.registry.calls.filter((call) => call === 'sendPart 5-10')).toHaveLength(2);
  await expectAllGivenBack(rig, source);
});

test('a journal that breaks ends the upload, rather than leaving it waiting', async () => {
  const broken = new Error('broken');
  class BrokenJournals extends ModelJournals {
    override async open(identity: JournalIdentity): Promise<LayerJournal> {
      const journal = await super.open(identity);
      const note = (): never => {
        throw broken;
      };
      return { ...journal, note };
    }
  }
  const rig = layerRig({ journals: new BrokenJournals() });
  const source = sourceOf(2);
  expect(await failureOf(rig.upload(source, { expectedDigest: digestOfSize(6 * MIB) }))).toBe(
    broken,
  );
  await expectAllGivenBack(rig, source);
});

describe('an abort', () => {
  test('before the first byte sends nothing', async () => {
    const rig = layerRig();
    const reason = new Error('enough');
    rig.registry.answer('initiateUpload', async (own) => {
      const upload = await own();
      rig.abort.abort(reason);
      return upload;
    });
    const source = sourceOf(2);
    expect(await failureOf(rig.upload(source))).toBe(reason);
    expect(rig.registry.countOf('sendPart')).toBe(0);
    expect(rig.workshop.jobs).toEqual([]);
    await expectAllGivenBack(rig, source);
  });

  test('on the way ends every request with its reason, and gives all back', async () => {
    const rig = layerRig();
    const reason = new Error('enough');
    const reasons: unknown[] = [];
    for (let part = 0; part < 4; part += 1) {
      rig.registry.answer('sendPart', (_own, _target, _part, _gate, signal) =>
        stuck(signal).catch((error: unknown) => {
          reasons.push(error);
          throw error;
        }),
      );
    }
    const source = sourceOf(9);
    const upload = failureOf(rig.upload(source));
    await vi.advanceTimersByTimeAsync(20);
    expect(rig.registry.countOf('sendPart')).toBe(4);
    rig.abort.abort(reason);
    expect(await upload).toBe(reason);
    expect(reasons).toEqual([reason, reason, reason, reason]);
    expect(rig.registry.countOf('completeUpload')).toBe(0);
    expect(getEventListeners(rig.abort.signal, 'abort')).toEqual([]);
    await expectAllGivenBack(rig, source);
  });

  test('waits for whoever still touches a part, and gives its memory back then', async () => {
    const rig = layerRig();
    let hasLetGo = false;
    rig.registry.answer('sendPart', async (_own, _target, _part, _gate, signal) => {
      await stuck(signal).catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      hasLetGo = true;
      throw signal.reason;
    });
    const source = sourceOf(2);
    const upload = failureOf(rig.upload(source));
    await vi.advanceTimersByTimeAsync(20);
    rig.abort.abort(new Error('enough'));
    await upload;
    expect(hasLetGo).toBe(true);
    await expectAllGivenBack(rig, source);
  });

  test('while a part waits to be sent again leaves no timer', async () => {
    const rig = layerRig({ retry: { attemptsMax: 3, delayMs: 60_000, delayMsMax: 60_000 } });
    rig.registry.answer('sendPart', faultOf('throttled', 'E_THROTTLED'));
    const upload = failureOf(rig.upload(sourceOf(1)));
    await vi.advanceTimersByTimeAsync(20);
    rig.abort.abort(new Error('enough'));
    await upload;
    expect(vi.getTimerCount()).toBe(0);
    expect(rig.eventsOf('call-retried')).toHaveLength(1);
  });

  test('after the last part has been acknowledged does not complete the layer', async () => {
    const rig = layerRig();
    const reason = new Error('enough');
    rig.registry.answer('sendPart', async (own) => {
      const lastByte = await own();
      rig.abort.abort(reason);
      return lastByte;
    });
    expect(await failureOf(rig.upload(sourceOf(1)))).toBe(reason);
    expect(rig.registry.countOf('completeUpload')).toBe(0);
  });

  test('after an end leaves nothing on the signal', async () => {
    const rig = layerRig();
    await finish(rig.upload(sourceOf(3)));
    expect(getEventListeners(rig.abort.signal, 'abort')).toEqual([]);
  });
});

describe('what is seen of a layer on its way', () => {
  test('are the parts on the wire, the bytes that sockets took, and the part that is prepared', async () => {
    const rig = layerRig({ partsInFlight: 2 });
    rig.registry.answer(
      'sendPart',
      async (_own, _target, { shared, bodyLengthBytes }, _gate, signal) => {
        writePhase(shared, 'socket');
        writeWiredBytes(shared, bodyLengthBytes / 2);
        return stuck(signal);
      },
      async (_own, _target, { shared }, _gate, signal) => {
        writePhase(shared, 'worker');
        writeWiredBytes(shared, 0);
        return stuck(signal);
      },
    );
    const source = new ModelSource({
      sizeBytes: 4 * PART_BYTES,
      beforeRead: async (firstByte, signal) => {
        if (firstByte === PART_BYTES) await new Promise((resolve) => setTimeout(resolve, 100));
        if (firstByte === 2 * PART_BYTES) await stuck(signal);
      },
    });
    const upload = failureOf(rig.upload(source));
    await vi.advanceTimersByTimeAsync(50);
    expect(rig.progress.movements).toEqual([
      {
        key: 'part 0',
        waitingFor: 'socket',
        partIndex: 0,
        mark: expect.stringMatching(/^\d+(\.\d+)? \d+$/),
      },
      { key: 'preparation', waitingFor: 'source', partIndex: 1, mark: '1 undefined' },
    ]);
    expect(rig.progress.snapshot()).toMatchObject({
      partsInFlight: 1,
      acceptedBytes: 0,
      wiredBytes: PART_BYTES / 2,
    });
    await vi.advanceTimersByTimeAsync(100);
    expect(rig.progress.movements.map(({ key, waitingFor }) => `${key} ${waitingFor}`)).toEqual([
      'part 0 socket',
      'part 1 worker',
    ]);
    rig.abort.abort(new Error('enough'));
    await upload;
  });

  test('is what its next part waits for: its turn, memory', async () => {
    const rig = layerRig({ memory: new PartMemory(partMemoryBytes(PART_BYTES)) });
    rig.registry.answer('sendPart', (_own, _target, _part, _gate, signal) => stuck(signal));
    const upload = failureOf(rig.upload(sourceOf(9)));
    await vi.advanceTimersByTimeAsync(20);
    expect(rig.progress.movements.map(({ key, waitingFor }) => `${key} ${waitingFor}`)).toEqual([
      'part 0 rate',
      'preparation memory',
    ]);
    rig.abort.abort(new Error('enough'));
    await upload;
  });

  test('is what was committed where nothing is on the wire any more', async () => {
    const rig = layerRig();
    let seen: object = {};
    rig.registry.answer('completeUpload', async (own) => {
      seen = rig.progress.snapshot();
      expect(rig.progress.movements).toEqual([
        { key: 'wait 3', waitingFor: 'call', operation: 'CompleteLayerUpload', mark: '0 0' },
      ]);
      return own();
    });
    await finish(
      rig.upload(new ModelSource({ sizeBytes: 2 * PART_BYTES }), { presence: 'ignore' }),
    );
    expect(seen).toMatchObject({
      state: 'completing',
      digest: digestOfSize(2 * PART_BYTES),
      acceptedBytes: 2 * PART_BYTES,
      wiredBytes: 2 * PART_BYTES,
      partsInFlight: 0,
    });
  });
});

test('a source that ends too early or too late is told of as changed', async () => {
  for (const actualBytes of [7 * MIB, 9 * MIB]) {
    const rig = layerRig();
    const source = new ModelSource({ sizeBytes: 8 * MIB, actualBytes });
    const error = await failureOf(rig.upload(source));
    expect(LongshoreError.is(error, 'E_SOURCE_CHANGED')).toBe(true);
    expect(error).toMatchObject({
      details: {
        source: 'the layer',
        expectedSizeBytes: 8 * MIB,
        actualSizeBytes: actualBytes < 8 * MIB ? actualBytes : 8 * MIB + 1,
      },
    });
    expect(rig.registry.countOf('completeUpload')).toBe(0);
    await expectAllGivenBack(rig, source);
  }
});
