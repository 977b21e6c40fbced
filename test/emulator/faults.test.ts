import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { FaultPlan } from '../../src/emulator/fault-plan.ts';
import { createRandomSource } from '../../src/emulator/random-source.ts';
import type { FaultAction } from '../../src/emulator/index.ts';
import {
  REPOSITORY,
  clientOf,
  digestOf,
  expectException,
  post,
  pushLayer,
  sendPart,
  startUpload,
  withEmulator,
} from './fixture.ts';

const bytes = randomBytes(300_000);

function onPart(action: FaultAction): {
  readonly operation: 'UploadLayerPart';
  readonly action: FaultAction;
} {
  return { operation: 'UploadLayerPart', action };
}

test('an exception replaces the operation, with its members and headers', () =>
  withEmulator({}, async (emulator, client) => {
    emulator.addFaults([
      onPart({
        kind: 'fail',
        exception: 'KmsException',
        message: 'no key',
        members: { kmsError: 'KMS.DisabledException' },
      }),
    ]);
    const uploadId = await startUpload(client);
    await expectException(sendPart(client, uploadId, 0, bytes), {
      name: 'KmsException',
      message: 'no key',
      kmsError: 'KMS.DisabledException',
    });
    expect(emulator.uploads()[0]?.nextByte).toBe(0);
    expect(await sendPart(client, uploadId, 0, bytes)).toBe(bytes.length - 1);
  }));

test('an exception after the fact tells a lie about a part that landed', () =>
  withEmulator({}, async (emulator, client) => {
    emulator.addFaults([
      onPart({ kind: 'fail', exception: 'ServerException', httpStatus: 500, committed: true }),
    ]);
    const uploadId = await startUpload(client);
    await expectException(sendPart(client, uploadId, 0, bytes), {
      name: 'ServerException',
      $metadata: { httpStatusCode: 500 },
    });
    expect(emulator.uploads()[0]?.nextByte).toBe(bytes.length);
  }));

test('a lost reply leaves the part committed, so sending it again is refused', () =>
  withEmulator({}, async (emulator, client) => {
    emulator.addFaults([onPart({ kind: 'lose-reply' })]);
    const uploadId = await startUpload(client);
    await expectException(sendPart(client, uploadId, 0, bytes), { code: 'ECONNRESET' });
    await expectException(sendPart(client, uploadId, 0, bytes), {
      name: 'InvalidLayerPartException',
      lastValidByteReceived: bytes.length - 1,
    });
    expect(
      emulator.journal.entries({ operation: 'UploadLayerPart' })[0]?.statusCode,
    ).toBeUndefined();
  }));

test.each([
  ['reset', { kind: 'reset' }],
  ['cut in the body', { kind: 'cut-body', afterBytes: 100_000 }],
] as const)('a connection that is %s commits nothing', (_, action) =>
  withEmulator({}, async (emulator, client) => {
    emulator.addFaults([onPart(action)]);
    const uploadId = await startUpload(client);
    await expectException(sendPart(client, uploadId, 0, bytes), { $metadata: expect.anything() });
    expect(emulator.uploads()[0]?.nextByte).toBe(0);
    expect(await sendPart(client, uploadId, 0, bytes)).toBe(bytes.length - 1);
  }),
);

test('a stalled request is never answered and does not keep the emulator from stopping', () =>
  withEmulator({}, async (emulator, client) => {
    emulator.addFaults([onPart({ kind: 'stall' })]);
    const uploadId = await startUpload(client);
    const stalled = sendPart(client, uploadId, 0, bytes);
    const settled = stalled.then(
      () => 'answered',
      () => 'broken off',
    );
    while (
      emulator.journal.entries({ operation: 'UploadLayerPart' })[0]?.receivedAtMs === undefined
    ) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    await emulator.stop();
    expect(await settled).toBe('broken off');
  }));

test('a delayed and a dripping reply arrive, late', () =>
  withEmulator({}, async (emulator, client) => {
    emulator.addFaults([
      onPart({ kind: 'delay', delayMs: 60 }),
      { ...onPart({ kind: 'drip', bytesPerSecond: 2000 }), nth: 2 },
    ]);
    const uploadId = await startUpload(client);
    const timed = async (firstByte: number): Promise<number> => {
      const startedAtMs = performance.now();
      await sendPart(client, uploadId, firstByte, bytes);
      return performance.now() - startedAtMs;
    };
    expect(await timed(0)).toBeGreaterThan(58);
    expect(await timed(bytes.length)).toBeGreaterThan(50);
  }));

test('garbage comes in the named forms', () =>
  withEmulator({ verifySignatures: false }, async (emulator, client) => {
    emulator.addFaults([
      { operation: 'InitiateLayerUpload', action: { kind: 'garbage', form: 'cut-json' } },
      { operation: 'InitiateLayerUpload', nth: 2, action: { kind: 'garbage', form: 'not-json' } },
      onPart({ kind: 'garbage', form: 'wrong-last-byte' }),
      { operation: 'CompleteLayerUpload', action: { kind: 'garbage', form: 'wrong-layer-digest' } },
      {
        operation: 'GetAuthorizationToken',
        action: { kind: 'garbage', form: 'html', httpStatus: 503 },
      },
    ]);
    await expect(startUpload(client)).rejects.toThrow(SyntaxError);
    await expect(startUpload(client)).rejects.toThrow(SyntaxError);
    const uploadId = await startUpload(client);
    expect(await sendPart(client, uploadId, 0, bytes)).toBe(bytes.length - 2);
    const { layerDigest } = await client.completeLayerUpload({
      repositoryName: REPOSITORY,
      uploadId,
      layerDigests: [digestOf(bytes)],
    });
    expect(layerDigest).toBe(`sha256:${'0'.repeat(64)}`);
    await expect(post(emulator, 'GetAuthorizationToken', '{}')).rejects.toThrow(SyntaxError);
  }));

test('a skewed clock refuses signatures and shows itself in Date', () =>
  withEmulator({}, async (emulator) => {
    emulator.addFaults([
      { operation: '*', times: 2, action: { kind: 'skew-clock', skewMs: 3_600_000 } },
    ]);
    const client = clientOf(emulator, { maxAttempts: 2 });
    // The SDK reads Date, corrects its own clock and succeeds at the second attempt.
    const reply = await client.getAuthorizationToken({});
    expect(reply.$metadata.attempts).toBe(2);
    client.destroy();
  }));

test('a forgotten upload is not found, also later', () =>
  withEmulator({}, async (emulator, client) => {
    const uploadId = await startUpload(client);
    await sendPart(client, uploadId, 0, bytes);
    emulator.addFaults([
      { ...onPart({ kind: 'forget-upload' }), match: { firstByte: bytes.length } },
    ]);
    for (let attempt = 0; attempt < 2; attempt += 1) {
      await expectException(sendPart(client, uploadId, bytes.length, bytes), {
        name: 'UploadNotFoundException',
      });
    }
  }));

test('a throttle lasts as long as it says', async () => {
  let nowMs = Date.now();
  await withEmulator({ clock: () => nowMs }, async (emulator, client) => {
    emulator.addFaults([
      { operation: 'InitiateLayerUpload', action: { kind: 'throttle', durationMs: 1000 } },
    ]);
    const refused = { name: 'ThrottlingException', message: 'Rate exceeded' };
    await expectException(startUpload(client), refused);
    nowMs += 999;
    await expectException(startUpload(client), refused);
    nowMs += 1;
    await startUpload(client);
  });
});

test('an expired token is an exception like any other', () =>
  withEmulator({}, async (emulator, client) => {
    const exception = 'ExpiredTokenException';
    emulator.addFaults([{ operation: '*', action: { kind: 'fail', exception } }]);
    await expectException(startUpload(client), { name: exception });
    emulator.clearFaults();
    await pushLayer(client);
  }));

test('rules count their own matches and strike the nth, so many times', () => {
  const plan = new FaultPlan(createRandomSource(1));
  plan.add([
    {
      operation: 'PutImage',
      nth: 2,
      times: 2,
      action: { kind: 'stall' },
      match: { repository: 'a' },
    },
  ]);
  const strikes = ['a', 'b', 'a', 'a', 'a'].map(
    (repositoryName) => plan.strikeBody('PutImage', { repositoryName }) !== undefined,
  );
  expect(strikes).toEqual([false, false, true, true, false]);
});

test('the same seed gives the same strikes', () => {
  const run = (seed: number): string => {
    const plan = new FaultPlan(createRandomSource(seed));
    plan.add([{ operation: '*', probability: 0.3, action: { kind: 'stall' } }]);
    return Array.from({ length: 60 }, () => (plan.strikeBody('PutImage', {}) ? 'x' : '.')).join('');
  };
  expect(run(7)).toBe(run(7));
  expect(run(7)).not.toBe(run(8));
  expect(run(7)).toMatch(/x/);
});

test('a rule that could never match is refused', () => {
  const plan = new FaultPlan(createRandomSource(1));
  expect(() =>
    plan.add([{ operation: '*', match: { repository: 'a' }, action: { kind: 'reset' } }]),
  ).toThrow(RangeError);
});
