import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { EmulatorCredentials, FaultRule } from '../../src/emulator/index.ts';
import { LongshoreError, registryImage } from '../../src/index.ts';
import type { ErrorCode, ImageSource, UploaderOptions } from '../../src/index.ts';
import { MIB } from '../../src/limits.ts';
import { makeImage, memoryImage } from '../image/memory-image.ts';
import { temporaryFolder } from '../package/temporary-folder.ts';
import { startRegistry } from '../registry/fake-registry.ts';
import { reasonOf } from '../uploader/expectation.ts';
import { startProxy } from '../uploader/http-proxy.ts';
import { layerBytes } from '../uploader/layer-bytes.ts';
import { REPOSITORY, startRig, type UploadRig } from '../uploader/upload-rig.ts';
import { expectNoSecret } from './secret-search.ts';

const KEYS: EmulatorCredentials = {
  accessKeyId: 'AKIDTEST',
  secretAccessKey: 'hush-secret-access-key',
  sessionToken: 'hush-session-token',
};
const PASSWORD = 'hush-password/of-a-proxy';
const LOGIN = { username: 'me', password: 'hush-registry-password' };
const SECRETS = [
  KEYS.secretAccessKey,
  KEYS.sessionToken ?? '',
  PASSWORD,
  LOGIN.password,
  'hush-signature',
];
const image = makeImage({ layers: [layerBytes(6 * MIB), layerBytes(700, 2)] });

function rigWith(faults: readonly FaultRule[] = [], uploader: UploaderOptions = {}) {
  const emulator = { credentials: KEYS };
  return startRig({ emulator, uploader: { replyTimeoutMs: 200, ...uploader }, faults });
}

/** Pushes it, and looks at all that comes of that. Resolves with the error's code, if it fails. */
async function pushAndSearch(
  rig: UploadRig,
  source: ImageSource = memoryImage(image),
): Promise<ErrorCode | 'pushed'> {
  const events: unknown[] = [];
  const outcome: unknown = await rig.uploader
    .pushImage(
      { repository: REPOSITORY, image: source, tags: ['v1'] },
      { onEvent: (event) => events.push(event) },
    )
    .catch((error: unknown) => error);
  const journal = rig.emulator.journal.entries();
  expectNoSecret([outcome, events, journal, rig.uploader.snapshot()], SECRETS);
  if (!(outcome instanceof Error)) return 'pushed';
  expectNoSecret(outcome.stack, SECRETS);
  if (LongshoreError.is(outcome)) return outcome.code;
  throw outcome;
}

/** @param status with which it refuses; a proxy without one is not there any more */
async function proxyWithPassword(status: number | undefined): Promise<URL> {
  const proxy = await startProxy(status);
  const url = new URL(proxy.url);
  url.username = 'me';
  url.password = PASSWORD;
  if (status === undefined) await proxy[Symbol.asyncDispose]();
  else onTestFinished(() => proxy[Symbol.asyncDispose]());
  return url;
}

describe('a push to ECR shows no secret', () => {
  test('when it succeeds', async () => {
    await using rig = await rigWith();
    expect(await pushAndSearch(rig)).toBe('pushed');
  });

  test.each<[string, FaultRule['operation'], FaultRule['action'], ErrorCode]>([
    [
      'refused',
      'InitiateLayerUpload',
      { kind: 'fail', exception: 'AccessDeniedException' },
      'E_ACCESS_DENIED',
    ],
    ['refused for a part', 'UploadLayerPart', { kind: 'fail', exception: 'KmsException' }, 'E_KMS'],
    ['met by a page', 'PutImage', { kind: 'garbage', form: 'html' }, 'E_REGISTRY_FAULT'],
    [
      'met by half a reply',
      'BatchGetImage',
      { kind: 'garbage', form: 'cut-json' },
      'E_REGISTRY_PROTOCOL',
    ],
    [
      'met by half a reply to a part',
      'UploadLayerPart',
      { kind: 'garbage', form: 'cut-json' },
      'E_REGISTRY_PROTOCOL',
    ],
    ['broken off', 'CompleteLayerUpload', { kind: 'reset' }, 'E_NETWORK'],
    ['broken off in a part', 'UploadLayerPart', { kind: 'reset' }, 'E_NETWORK'],
    ['not answered', 'InitiateLayerUpload', { kind: 'stall' }, 'E_TIMEOUT'],
    ['throttled', 'PutImage', { kind: 'throttle' }, 'E_THROTTLED'],
  ])('when it is %s', async (_how, operation, action, code) => {
    await using rig = await rigWith([{ operation, action, times: 99 }]);
    expect(await pushAndSearch(rig)).toBe(code);
  });

  test('when the credentials are wrong', async () => {
    const credentials = { ...KEYS, secretAccessKey: 'another' };
    await using rig = await startRig({
      emulator: { credentials },
      uploader: { client: { credentials: KEYS } },
    });
    expect(await pushAndSearch(rig)).toBe('E_CREDENTIALS');
  });

  test.each([407, undefined])('when a proxy with a password answers %s', async (status) => {
    await using rig = await rigWith([], { proxy: await proxyWithPassword(status) });
    expect(await pushAndSearch(rig)).toBe('E_NETWORK');
  });
});

describe('a verification shows none of the signed addresses that it reads from', () => {
  test.each([
    ['succeeds', false],
    ['finds a layer missing', true],
  ])('when it %s', async (_how, isDamaged) => {
    using folder = temporaryFolder();
    await using rig = await startRig({
      emulator: { credentials: KEYS, dataDirectory: folder.path },
    });
    expect(await pushAndSearch(rig)).toBe('pushed');
    const blobs = join(folder.path, 'blobs', 'sha256');
    if (isDamaged) for (const name of await readdir(blobs)) await rm(join(blobs, name));
    const events: unknown[] = [];
    const outcome: unknown = await rig.uploader
      .verifyImage({ repository: REPOSITORY, reference: 'v1' }, { onEvent: (e) => events.push(e) })
      .catch((error: unknown) => error);
    expect(outcome instanceof Error).toBe(isDamaged);
    expectNoSecret([outcome, events, rig.emulator.journal.entries()], SECRETS);
  });
});

describe('a registry that is read shows no login', () => {
  const blob = layerBytes(500, 7);

  test.each([
    ['basic', 'pushed'],
    ['bearer', 'pushed'],
  ] as const)('when it wants %s and gets it', async (auth, outcome) => {
    await using registry = await startRegistry({ auth, login: LOGIN, redirectsBlobs: true });
    registry.putImage('a', 'v1', [blob]);
    await using rig = await rigWith();
    const source = registryImage(`${registry.host}/a:v1`, { credentials: LOGIN, proxy: 'none' });
    expect(await pushAndSearch(rig, source)).toBe(outcome);
  });

  test.each(['basic', 'bearer'] as const)('when it refuses it (%s)', async (auth) => {
    await using registry = await startRegistry({ auth, login: { ...LOGIN, password: 'other' } });
    registry.putImage('a', 'v1', [blob]);
    await using rig = await rigWith();
    const source = registryImage(`${registry.host}/a:v1`, { credentials: LOGIN, proxy: 'none' });
    expect(await pushAndSearch(rig, source)).toBe('E_SOURCE_DENIED');
  });

  test.each([
    ['to where nobody is', 'http://127.0.0.1:1/x?X-Amz-Signature=hush-signature'],
    ['to another protocol', 'ftp://127.0.0.1/x?X-Amz-Signature=hush-signature'],
    ['with a login', 'http://me:hush-signature@127.0.0.1:1/x'],
  ])('or its storage when it sends for a blob %s', async (_where, location) => {
    await using registry = await startRegistry({ auth: 'basic', login: LOGIN });
    registry.putImage('a', 'v1', [blob]);
    const options = { credentials: LOGIN, proxy: 'none', attemptsMax: 1, retryDelayMs: 1 } as const;
    const source = registryImage(`${registry.host}/a:v1`, options);
    await using rig = await rigWith();
    // The first event comes when the manifests have been read: what follows are blobs.
    const misdirect = (): void => {
      while (registry.answers.length < 50) {
        registry.answers.push(
          (_request, response) => void response.writeHead(307, { location }).end(),
        );
      }
    };
    const error = await reasonOf(
      rig.uploader.pushImage(
        { repository: REPOSITORY, image: source, tags: ['v1'] },
        { onEvent: misdirect },
      ),
    );
    expectNoSecret(error, SECRETS);
    expect(error).toMatchObject({ code: 'E_SOURCE_REGISTRY' });
  });

  test.each([407, undefined])('nor that of a proxy in between (%s)', async (status) => {
    await using rig = await rigWith();
    const proxy = await proxyWithPassword(status);
    const options = { credentials: LOGIN, proxy, attemptsMax: 1 };
    const plain = registryImage('registry.invalid/a:v1', { ...options, plainHttp: true });
    const tunnelled = registryImage('registry.invalid/a:v1', options);
    expect(await pushAndSearch(rig, plain)).toMatch(/^E_SOURCE/);
    expect(await pushAndSearch(rig, tunnelled)).toMatch(/^E_SOURCE/);
  });
});
