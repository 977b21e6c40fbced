import pLimit from 'p-limit';
import { describe, expect, test } from 'vitest';
import { type ErrorCode, LongshoreError } from '../../src/errors.ts';
import { MIB } from '../../src/limits.ts';
import { LaneLost } from '../../src/layer/lane-lost.ts';
import { PartMemory, partMemoryBytes } from '../../src/layer/part-memory.ts';
import { planParts } from '../../src/layer/part-plan.ts';
import { type LayerRegistry, RegistryFault } from '../../src/layer/ports.ts';
import { Resumption, type ResumptionOptions } from '../../src/layer/resumption.ts';
import { reasonOf } from '../uploader/expectation.ts';

const PART_BYTES = 5 * MIB;
const SIZE_BYTES = 5 * PART_BYTES;
const PROBED = { firstByte: PART_BYTES, endByte: 2 * PART_BYTES };

type SendPart = LayerRegistry['sendPart'];

function faultOf(kind: RegistryFault['kind'], code: ErrorCode, nextByte?: number): RegistryFault {
  const error = new LongshoreError(code, 'by the test', {});
  return new RegistryFault(kind, error, nextByte === undefined ? {} : { nextByte });
}

/** A layer in memory of which the journal knows one part. */
function resumptionOf(
  sendPart: SendPart,
  memory: PartMemory = new PartMemory(partMemoryBytes(PART_BYTES)),
  partPermits: ResumptionOptions['partPermits'] = pLimit(1),
) {
  const retries: ErrorCode[] = [];
  const options = {
    target: { repository: 'team/app', uploadId: 'one' },
    plan: planParts(SIZE_BYTES, PART_BYTES, 'the layer'),
    source: {
      sizeBytes: SIZE_BYTES,
      rereadable: false,
      path: undefined,
      idle: Promise.resolve(),
      read: (area: Uint8Array) => Promise.resolve(area.length),
    },
    sourceLabel: 'the layer',
    hash: {
      preparePart: (shared: SharedArrayBuffer, range: object) =>
        Promise.resolve({
          ...range,
          shared,
          bodyLengthBytes: 1,
          tailLengthBytes: 0,
          bodySha256: '',
          savedHash: new Uint8Array([1]),
        }),
      fold: () => Promise.resolve(new Uint8Array([2])),
    },
    framePart: () => ({ prefix: '', suffix: '' }),
    memory,
    partPermits,
    registry: { sendPart },
    retry: { attemptsMax: 3, delayMs: 0, delayMsMax: 0 },
    progress: {
      hashedCounter: new SharedArrayBuffer(8),
      during: (_waitingFor: string, _operation: undefined, work: () => unknown) => work(),
      resent: () => undefined,
      resumed: () => undefined,
      partAcknowledged: () => undefined,
      callRetried: (_operation: string, fault: RegistryFault) => retries.push(fault.error.code),
    },
    reached: { endByte: PROBED.firstByte, partCount: 1, savedHash: undefined },
    isHashRestored: true,
  };
  const resumption = new Resumption(options as unknown as ResumptionOptions);
  return { run: () => resumption.run(new AbortController().signal), retries, memory };
}

/** Fails as the given answers say, one after the other; then takes the part. */
function answering(...answers: (RegistryFault | number)[]): SendPart {
  return async (_target, part) => {
    const answer = answers.shift();
    if (answer instanceof RegistryFault) throw answer;
    return answer ?? part.endByte - 1;
  };
}

describe('an upload that is taken up', () => {
  test('reads on to where the registry is, though there is memory for one part alone', async () => {
    const refusal = faultOf('part-out-of-order', 'E_PART_REJECTED', 4 * PART_BYTES);
    const { run } = resumptionOf(answering(refusal));
    expect(await run()).toEqual({
      endByte: 4 * PART_BYTES,
      partCount: 4,
      savedHash: new Uint8Array([2]),
    });
  });

  test('does so beside others, with memory for one part of all of them', async () => {
    const memory = new PartMemory(partMemoryBytes(PART_BYTES));
    const permits = pLimit(8);
    const starts = await Promise.all(
      Array.from({ length: 8 }, () => {
        const refusal = faultOf('part-out-of-order', 'E_PART_REJECTED', 3 * PART_BYTES);
        return resumptionOf(answering(refusal), memory, permits).run();
      }),
    );
    expect(starts.map(({ partCount }) => partCount)).toEqual(starts.map(() => 3));
    expect(permits.activeCount).toBe(0);
  });

  test('keeps the state of the digest at the end of the first part, if that is where it is', async () => {
    const refusal = faultOf('part-out-of-order', 'E_PART_REJECTED', PROBED.endByte);
    const there = { endByte: PROBED.endByte, partCount: 2, savedHash: new Uint8Array([1]) };
    expect(await resumptionOf(answering(refusal)).run()).toEqual(there);
    expect(await resumptionOf(answering()).run()).toEqual(there);
  });

  test('asks again after a reply that names another byte', async () => {
    const { run, retries } = resumptionOf(answering(7));
    expect(await run()).toMatchObject({ partCount: 2 });
    expect(retries).toEqual(['E_REGISTRY_PROTOCOL']);
  });

  test('is given up if the registry keeps naming another byte', async () => {
    const error = await reasonOf(resumptionOf(answering(7, 7, 7)).run());
    expect(error).toBeInstanceOf(LaneLost);
    expect(error).toMatchObject({ error: { code: 'E_REGISTRY_PROTOCOL' } });
  });

  test.each(['E_REQUEST_INVALID', 'E_PART_REJECTED', 'E_LAYER_REJECTED'] as const)(
    'is given up for a new one after %s',
    async (code) => {
      const error = await reasonOf(resumptionOf(answering(faultOf('final', code))).run());
      expect(error).toBeInstanceOf(LaneLost);
      expect(error).toMatchObject({ error: { code } });
    },
  );

  test.each(['E_ACCESS_DENIED', 'E_CREDENTIALS', 'E_KMS'] as const)(
    'is not given up after %s, which a new one would meet as well',
    async (code) => {
      const error = await reasonOf(resumptionOf(answering(faultOf('final', code))).run());
      expect(error).toMatchObject({ code });
    },
  );
});
