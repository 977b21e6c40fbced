import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { EmulatorCredentials, FaultRule } from '../../src/emulator/index.ts';
import { bytesSource } from '../../src/index.ts';
import type { LayerEvent } from '../../src/index.ts';
import { MIB } from '../../src/limits.ts';
import { callCounts, expectFailure, expectStored } from './expectation.ts';
import { digestOf, layerBytes } from './layer-bytes.ts';
import { startRig } from './upload-rig.ts';

const KEYS = { accessKeyId: 'AKIDTEST', secretAccessKey: 'test-secret' };
const bytes = layerBytes(10 * MIB + 5);
const source = bytesSource(bytes, { digest: digestOf(bytes) });

/** A session that ends when the emulator says so; the provider then gives what `renew` says. */
function session(renew: (tokenNumber: number) => number) {
  let issued = 1;
  let accepted = 1;
  let asked = 0;
  const emulator: EmulatorCredentials = {
    ...KEYS,
    get sessionToken() {
      return `token-${accepted}`;
    },
  };
  return {
    emulator,
    /** From here on only the next token is accepted. */
    expire: () => {
      accepted += 1;
    },
    provider: () => {
      asked += 1;
      if (asked > 1) issued = renew(issued);
      return Promise.resolve({ ...KEYS, sessionToken: `token-${issued}` });
    },
    get asked() {
      return asked;
    },
  };
}

function expired(operation: FaultRule['operation'], nth: number, times: number): FaultRule {
  return {
    operation,
    nth,
    times,
    action: {
      kind: 'fail',
      exception: 'ExpiredTokenException',
      message: 'The security token included in the request is expired',
    },
  };
}

describe('credentials that expire in the middle of a layer', () => {
  test('are renewed, and the layer goes on with the new ones', async () => {
    const retried: LayerEvent[] = [];
    const login = session((number) => number + 1);
    await using rig = await startRig({
      emulator: { credentials: login.emulator },
      uploader: { client: { credentials: login.provider }, partsInFlight: 1 },
      faults: [expired('UploadLayerPart', 2, 1)],
    });
    await rig.upload(source, {
      onEvent: (event) => {
        if (event.type !== 'call-retried') return;
        retried.push(event);
        login.expire();
      },
    });
    expect(retried).toMatchObject([
      { operation: 'UploadLayerPart', partIndex: 1, code: 'E_CREDENTIALS', delayMs: 0 },
    ]);
    expect(login.asked).toBe(2);
    await expectStored(rig.emulator, bytes);
  });

  test('are renewed once for all parts in flight', async () => {
    const login = session((number) => number + 1);
    await using rig = await startRig({
      // Parts that were signed before are on the wire still.
      emulator: { credentials: login.emulator, verifySignatures: false },
      uploader: { client: { credentials: login.provider }, partsInFlight: 3 },
      faults: [expired('UploadLayerPart', 1, 1)],
    });
    await rig.upload(source);
    expect(login.asked).toBe(2);
    await expectStored(rig.emulator, bytes);
  });

  test.each(['BatchCheckLayerAvailability', 'InitiateLayerUpload', 'CompleteLayerUpload'] as const)(
    'are renewed when %s is refused',
    async (operation) => {
      const login = session((number) => number + 1);
      await using rig = await startRig({
        emulator: { credentials: login.emulator },
        uploader: { client: { credentials: login.provider } },
        faults: [expired(operation, 1, 1)],
      });
      await rig.upload(source, {
        onEvent: ({ type }) => {
          if (type === 'call-retried') login.expire();
        },
      });
      expect(login.asked).toBe(2);
      await expectStored(rig.emulator, bytes);
    },
  );

  test('end the layer in E_CREDENTIALS at once when the provider has no others', async () => {
    const { emulator, provider } = session((number) => number);
    await using rig = await startRig({
      emulator: { credentials: emulator },
      uploader: { client: { credentials: provider }, retryDelayMs: 10_000 },
      faults: [expired('UploadLayerPart', 2, 99)],
    });
    const error = await expectFailure(rig.upload(source), 'E_CREDENTIALS');
    expect(error.message).toMatch(/sign in again/);
    expect(error).toMatchObject({
      origin: 'caller',
      retryable: false,
      details: { operation: 'UploadLayerPart', exception: 'ExpiredTokenException' },
    });
    expect(callCounts(rig.emulator)['UploadLayerPart']).toBeLessThanOrEqual(3);
    expect(callCounts(rig.emulator)['CompleteLayerUpload']).toBeUndefined();
  });

  test('end in E_CREDENTIALS after all attempts when new ones are refused as well', async () => {
    const login = session((number) => number + 1);
    await using rig = await startRig({
      emulator: { credentials: login.emulator },
      uploader: { client: { credentials: login.provider } },
      faults: [expired('BatchCheckLayerAvailability', 1, 99)],
    });
    const onEvent = ({ type }: LayerEvent): void => {
      if (type === 'call-retried') login.expire();
    };
    await expectFailure(rig.upload(source, { onEvent }), 'E_CREDENTIALS');
    expect(callCounts(rig.emulator)).toEqual({ BatchCheckLayerAvailability: 3 });
  });

  test('end in E_CREDENTIALS when the provider fails to renew them', async () => {
    const { emulator, provider } = session(() => {
      throw new Error('the login server is away');
    });
    await using rig = await startRig({
      emulator: { credentials: emulator },
      uploader: { client: { credentials: provider } },
      faults: [expired('BatchCheckLayerAvailability', 1, 99)],
    });
    await expectFailure(rig.upload(source), 'E_CREDENTIALS');
    expect(callCounts(rig.emulator)).toEqual({ BatchCheckLayerAvailability: 1 });
  });

  test('are renewed once for many layers that are refused side by side', async () => {
    let asked = 0;
    let refusedCount = (): number => 0;
    const allAreRefused = async (): Promise<void> => {
      while (refusedCount() < 8) await new Promise((resolve) => setImmediate(resolve));
    };
    const provider = async () => {
      asked += 1;
      // The new ones come when all layers have been refused the old ones.
      if (asked > 1) await allAreRefused();
      return { ...KEYS, sessionToken: `token-${asked}` };
    };
    await using rig = await startRig({
      emulator: { credentials: KEYS, verifySignatures: false },
      uploader: { client: { credentials: provider }, layersInFlight: 8 },
      faults: [expired('BatchCheckLayerAvailability', 1, 8)],
    });
    refusedCount = () => rig.emulator.journal.count({ exception: 'ExpiredTokenException' });
    const layers = Array.from({ length: 8 }, (_, index) => layerBytes(1000, index + 1));
    await Promise.all(
      layers.map((layer) => rig.upload(bytesSource(layer, { digest: digestOf(layer) }))),
    );
    expect(asked).toBe(2);
  });
});

describe('credentials that are wrong', () => {
  test.each([
    {
      name: 'a wrong secret',
      credentials: { ...KEYS, secretAccessKey: 'another-secret' },
      exception: 'InvalidSignatureException',
    },
    {
      name: 'an unknown key',
      credentials: { ...KEYS, accessKeyId: 'AKIDOTHER' },
      exception: 'UnrecognizedClientException',
    },
    {
      name: 'a token that is not valid',
      credentials: { ...KEYS, sessionToken: 'made-up' },
      exception: 'UnrecognizedClientException',
    },
  ])('end in E_CREDENTIALS at the first call: $name', async ({ credentials, exception }) => {
    await using rig = await startRig({
      emulator: { credentials: KEYS },
      uploader: { client: { credentials } },
    });
    const error = await expectFailure(rig.upload(source), 'E_CREDENTIALS');
    expect(error.message).toMatch(/check the AWS credentials and the region/);
    expect(error.details).toMatchObject({ exception, httpStatus: 400 });
    expect(callCounts(rig.emulator)).toEqual({ BatchCheckLayerAvailability: 1 });
  });

  test('end in E_CREDENTIALS without a call when the provider has none', async () => {
    await using rig = await startRig({
      uploader: {
        client: {
          credentials: () =>
            Promise.reject(
              Object.assign(new Error('Could not load credentials from any providers'), {
                name: 'CredentialsProviderError',
              }),
            ),
        },
      },
    });
    const error = await expectFailure(rig.upload(source), 'E_CREDENTIALS');
    expect(error.message).toContain('Could not load credentials from any providers');
    expect(callCounts(rig.emulator)).toEqual({});
  });

  test('end in E_CREDENTIALS when they are for another region', async () => {
    await using rig = await startRig({ uploader: { region: 'eu-west-1' } });
    const error = await expectFailure(rig.upload(source), 'E_CREDENTIALS');
    expect(error.message).toMatch(/region/);
  });

  test('never show in an error that is printed', async () => {
    const credentials = { ...KEYS, secretAccessKey: 'hush-secret', sessionToken: 'hush-token' };
    await using rig = await startRig({
      emulator: { credentials: KEYS },
      uploader: { client: { credentials } },
    });
    const error = await expectFailure(rig.upload(source), 'E_CREDENTIALS');
    const printed = `${inspect(error, { depth: 20 })}${JSON.stringify(error)}`;
    expect(printed).toContain('UnrecognizedClientException');
    expect(printed).not.toMatch(/hush|AWS4-HMAC/);
  });
});
