import { DescribeRepositoriesCommand } from '@aws-sdk/client-ecr';
import { describe, expect, test } from 'vitest';
import { digestOf, makeImage } from '../image/memory-image.ts';
import { callCounts, expectFailure, expectStored, reasonOf } from './expectation.ts';
import { layerBytes } from './layer-bytes.ts';
import { selfSignedCertificate } from './self-signed-certificate.ts';
import {
  inProcessClient,
  layerDigests,
  mountingFrom,
  pushInto,
  signal,
  startTargetRig,
} from './target-rig.ts';

const layer = layerBytes(4000);
const image = makeImage({ layers: [layer, layerBytes(3000, 2)] });
const digest = digestOf(layer);

describe('a blob that a manifest of another repository names', () => {
  test('is mounted, and nothing of it travels', async () => {
    await using rig = await startTargetRig();
    const { target, emulator } = rig;
    await pushInto(target, 'team/a', image);
    emulator.journal.clear();
    const obtainBlob = mountingFrom(target, 'team/b', 'team/a');
    const receipt = await pushInto(target, 'team/b', image, { obtainBlob, tags: ['t'] });
    expect(receipt.blobs.map(({ outcome, sentBytes }) => `${outcome} ${sentBytes}`)).toEqual([
      'mounted 0',
      'mounted 0',
      'mounted 0',
    ]);
    expect(receipt).toMatchObject({ outcome: 'pushed', sentBytes: 0 });
    expect(receipt.skippedBytes).toBe(receipt.blobs.reduce((sum, blob) => sum + blob.sizeBytes, 0));
    expect(callCounts(emulator)).toMatchObject({ InitiateLayerUpload: 3, PutImage: 1 });
    expect(callCounts(emulator)).not.toHaveProperty('UploadLayerPart');
    await expectStored(emulator, layer, 'team/b');
  });

  test('is mounted though ECR does not see it at once', async () => {
    await using rig = await startTargetRig({ emulator: { putImageLagMs: 250 } });
    await pushInto(rig.target, 'team/a', image);
    const obtainBlob = mountingFrom(rig.target, 'team/b', 'team/a');
    const seen: string[] = [];
    const receipt = await pushInto(
      rig.target,
      'team/b',
      image,
      { obtainBlob },
      { onEvent: ({ type }) => seen.push(type) },
    );
    expect(receipt.outcome).toBe('pushed');
    expect(seen).toContain('layers-not-visible');
    expect(new Set(receipt.blobs.map(({ outcome }) => outcome))).toEqual(new Set(['mounted']));
  });

  test('is counted among the calls of InitiateLayerUpload and logs in once for all', async () => {
    await using rig = await startTargetRig();
    const layers = Array.from({ length: 40 }, (_, index) => layerBytes(50 + index, index + 1));
    const many = makeImage({ layers });
    await pushInto(rig.target, 'team/a', many);
    const before = rig.target.calls()['InitiateLayerUpload'] ?? 0;
    const ways = await Promise.all(
      layerDigests(many).map((one) => rig.target.mount('team/b', 'team/a', one, signal)),
    );
    expect(new Set(ways)).toEqual(new Set(['mounted']));
    expect(await rig.target.registryHost(signal)).toBe(rig.emulator.registryHost);
    expect(rig.target.calls()).toMatchObject({
      InitiateLayerUpload: before + 41,
      GetAuthorizationToken: 1,
    });
  });

  test('is mounted over TLS, with an authority of the options', async () => {
    const tls = selfSignedCertificate();
    await using rig = await startTargetRig({
      emulator: { tls },
      uploader: { certificateAuthorities: tls.cert },
    });
    await pushInto(rig.target, 'team/a', image);
    expect(await rig.target.mount('team/b', 'team/a', digest, signal)).toBe('mounted');
  });

  test('is mounted after the login has expired', async () => {
    let nowMs = Date.now();
    await using rig = await startTargetRig({ emulator: { clock: () => nowMs } });
    await pushInto(rig.target, 'team/a', image);
    await rig.target.registryHost(signal);
    nowMs += 13 * 3_600_000;
    const ways = await Promise.all(
      layerDigests(image).map((one) => rig.target.mount('team/b', 'team/a', one, signal)),
    );
    expect(new Set(ways)).toEqual(new Set(['mounted']));
    const logins = { operation: 'GetAuthorizationToken', statusCode: 200 } as const;
    expect(rig.emulator.journal.count(logins)).toBe(2);
  });
});

describe('a mount is refused', () => {
  test('where the account does not mount', async () => {
    await using rig = await startTargetRig({ mounts: false });
    await pushInto(rig.target, 'team/a', image);
    expect(await rig.target.mountsAllowed(signal)).toBe(false);
    expect(await rig.target.mount('team/b', 'team/a', digest, signal)).toBe('refused');
    const obtainBlob = mountingFrom(rig.target, 'team/b', 'team/a');
    const receipt = await pushInto(rig.target, 'team/b', image, { obtainBlob });
    expect(new Set(receipt.blobs.map(({ outcome }) => outcome))).toEqual(new Set(['uploaded']));
    await expectStored(rig.emulator, layer, 'team/b');
  });

  test('of a blob that no manifest names', async () => {
    await using rig = await startTargetRig();
    const other = makeImage({ layers: [layerBytes(100, 7)] });
    await pushInto(rig.target, 'team/a', other, {
      obtainBlob: async (_blob, upload) => {
        await upload();
        for (const one of layerDigests(other)) {
          expect(await rig.target.mount('team/b', 'team/a', one, signal)).toBe('refused');
        }
        return 'uploaded';
      },
    });
    expect(await rig.target.mount('team/b', 'team/a', digestOf(layerBytes(100, 7)), signal)).toBe(
      'mounted',
    );
  });

  test('between repositories of other encryption', async () => {
    const encryptionConfiguration = { encryptionType: 'KMS' } as const;
    await using rig = await startTargetRig({
      repositories: ['team/a', { repositoryName: 'team/b', encryptionConfiguration }],
    });
    await pushInto(rig.target, 'team/a', image);
    expect(await rig.target.mount('team/b', 'team/a', digest, signal)).toBe('refused');
  });

  test('to who may not do it, after another login', async () => {
    await using rig = await startTargetRig();
    await pushInto(rig.target, 'team/a', image);
    const action = { kind: 'fail', exception: 'AccessDeniedException', httpStatus: 403 } as const;
    rig.emulator.addFaults([{ operation: 'InitiateLayerUpload', times: 2, action }]);
    expect(await rig.target.mount('team/b', 'team/a', digest, signal)).toBe('refused');
    expect(rig.target.calls()).toMatchObject({ GetAuthorizationToken: 2 });
  });

  test('from a repository that is not there', async () => {
    await using rig = await startTargetRig();
    expect(await rig.target.mount('team/b', 'team/none', digest, signal)).toBe('refused');
  });
});

describe('a mount that fails', () => {
  test('by being throttled is made again, more slowly, and counted', async () => {
    await using rig = await startTargetRig();
    await pushInto(rig.target, 'team/a', image);
    rig.emulator.addFaults([
      { operation: 'InitiateLayerUpload', times: 2, action: { kind: 'throttle' } },
    ]);
    expect(await rig.target.mount('team/b', 'team/a', digest, signal)).toBe('mounted');
    expect(rig.target.throttledCallCount()).toBe(2);
  });

  test('for good says so', async () => {
    await using rig = await startTargetRig();
    await rig.target.registryHost(signal);
    await rig.emulator.stop();
    const mount = rig.target.mount('team/b', 'team/a', digest, signal);
    const error = await expectFailure(mount, 'E_NETWORK');
    expect(error.message).toContain('cannot mount');
    expect(rig.target.calls()['InitiateLayerUpload']).toBe(3);
  });

  test.each([
    { name: 'a page of a proxy', action: { kind: 'garbage', form: 'html' } },
    { name: 'a connection that breaks', action: { kind: 'reset' } },
    { name: 'a reply that is lost', action: { kind: 'lose-reply' } },
  ] as const)('for the moment, by $name, is made again', async ({ action }) => {
    await using rig = await startTargetRig();
    await pushInto(rig.target, 'team/a', image);
    rig.emulator.addFaults([{ operation: 'InitiateLayerUpload', times: 2, action }]);
    expect(await rig.target.mount('team/b', 'team/a', digest, signal)).toBe('mounted');
  });

  test.each([
    ['E_REGISTRY_FAULT', { kind: 'garbage', form: 'html', httpStatus: 503 }, 3],
    ['E_TIMEOUT', { kind: 'stall' }, 3],
    ['E_NETWORK', { kind: 'reset' }, 3],
    ['E_THROTTLED', { kind: 'throttle' }, 3],
    ['E_REGISTRY_PROTOCOL', { kind: 'garbage', form: 'wrong-layer-digest' }, 1],
    ['E_REQUEST_INVALID', { kind: 'fail', exception: 'InvalidLayerException' }, 1],
    // Once more, with a new login.
    ['E_CREDENTIALS', { kind: 'fail', exception: 'AccessDeniedException', httpStatus: 401 }, 2],
  ] as const)('for good is %s', async (code, action, attemptCount) => {
    const uploader = { stallTimeoutMs: 500, connectTimeoutMs: 1500, attemptsMax: 3 };
    await using rig = await startTargetRig({ uploader });
    await pushInto(rig.target, 'team/a', image);
    const before = rig.target.calls()['InitiateLayerUpload'] ?? 0;
    rig.emulator.addFaults([{ operation: 'InitiateLayerUpload', times: 10, action }]);
    const mount = rig.target.mount('team/b', 'team/a', digest, signal);
    const error = await expectFailure(mount, code);
    expect(error.details).toMatchObject({ repository: 'team/b' });
    expect(rig.target.calls()['InitiateLayerUpload']).toBe(before + attemptCount);
  });

  test('or is aborted ends at once, and others go on', async () => {
    await using rig = await startTargetRig();
    await pushInto(rig.target, 'team/a', image);
    const abort = new AbortController();
    const reason = new Error('enough');
    const aborted = reasonOf(rig.target.mount('team/b', 'team/a', digest, abort.signal));
    const other = rig.target.mount('team/b', 'team/a', digest, signal);
    abort.abort(reason);
    expect(await aborted).toBe(reason);
    expect(await other).toBe('mounted');
  });
});

test('a push creates the repository with the settings of its request', async () => {
  await using rig = await startTargetRig();
  const createRepository = { imageTagMutability: 'IMMUTABLE' } as const;
  await pushInto(rig.target, 'new/one', image, { createRepository });
  const { repositories } = await inProcessClient(rig.emulator).send(
    new DescribeRepositoriesCommand({ repositoryNames: ['new/one'] }),
  );
  expect(repositories?.[0]?.imageTagMutability).toBe('IMMUTABLE');
  await expectFailure(pushInto(rig.target, 'new/two', image), 'E_REPOSITORY_NOT_FOUND');
});
