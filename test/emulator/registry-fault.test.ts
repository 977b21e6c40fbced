import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import type { FaultAction, FaultRule, OperationName } from '../../src/emulator/index.ts';
import { MIB, REPOSITORY, digestOf, manifestOf, pushImage, withEmulator } from './fixture.ts';
import { RegistryClient, until } from './registry-client.ts';

const BASE = `/v2/${REPOSITORY}`;
const BROKEN = /hang up|ECONNRESET|EPIPE/;

function on(operation: OperationName, action: FaultAction, rest: object = {}): FaultRule[] {
  return [{ operation, action, ...rest }];
}

test("an exception is told in the door's own words", () =>
  withEmulator({}, async (emulator) => {
    const client = new RegistryClient(emulator);
    const fail = (exception: string, httpStatus?: number): FaultAction => ({
      kind: 'fail',
      exception,
      message: 'by fault',
      headers: { 'retry-after': '7' },
      ...(httpStatus === undefined ? {} : { httpStatus }),
    });
    const cases: readonly (readonly [FaultAction, number, string])[] = [
      [fail('ServerException', 500), 500, 'UNKNOWN'],
      [fail('ServerException', 503), 503, 'UNKNOWN'],
      [fail('KmsException'), 403, 'DENIED'],
      [fail('AccessDeniedException'), 403, 'DENIED'],
      [fail('LimitExceededException'), 405, 'UNSUPPORTED'],
    ];
    for (const [action, status, code] of cases) {
      emulator.addFaults(on('ListImages', action));
      const reply = await client.send('GET', `${BASE}/tags/list`);
      expect(reply).toMatchObject({ status, code, message: 'by fault' });
      expect(reply.headers['retry-after']).toBe('7');
    }
    expect(await client.send('GET', `${BASE}/tags/list`)).toMatchObject({ status: 200 });
  }));

test('a lost reply leaves a layer complete and an upload unknown', () =>
  withEmulator({}, async (emulator) => {
    const client = new RegistryClient(emulator);
    emulator.addFaults(on('CompleteLayerUpload', { kind: 'lose-reply' }));
    const bytes = randomBytes(100);
    const put = `${await client.startUpload()}?digest=${digestOf(bytes)}`;
    await expect(client.send('PUT', put, { body: bytes })).rejects.toThrow(BROKEN);
    expect(emulator.layers(REPOSITORY)).toHaveLength(1);
    const [entry] = emulator.journal.entries({ operation: 'CompleteLayerUpload' });
    expect(entry).not.toHaveProperty('statusCode');
    expect(await client.send('PUT', put, { body: bytes })).toMatchObject({ status: 404 });
  }));

test('a lost reply to a part breaks the request and leaves the part', () =>
  withEmulator({}, async (emulator) => {
    const client = new RegistryClient(emulator);
    emulator.addFaults(
      on('UploadLayerPart', { kind: 'lose-reply' }, { match: { firstByte: 10 * MIB } }),
    );
    const upload = await client.startUpload();
    const sent = client.send('PATCH', upload, { body: randomBytes(40 * MIB) });
    await expect(sent).rejects.toThrow(BROKEN);
    expect(emulator.uploads()[0]?.nextByte).toBe(20 * MIB);
  }));

test.each([
  ['reset', { kind: 'reset' }],
  ['cut', { kind: 'cut-body', afterBytes: 2 * MIB }],
] as const)('the second part of a body is %s: the first one stays', (_, action) =>
  withEmulator({}, async (emulator) => {
    const client = new RegistryClient(emulator);
    emulator.addFaults(on('UploadLayerPart', action, { nth: 2 }));
    const upload = await client.startUpload();
    const sent = client.send('PATCH', upload, { body: randomBytes(20 * MIB) });
    await expect(sent).rejects.toThrow(BROKEN);
    await until(() => emulator.journal.entries().every((entry) => entry.endedAtMs !== undefined));
    expect(emulator.uploads()[0]?.nextByte).toBe(10 * MIB);
  }),
);

test('a body that is cut early has committed nothing', () =>
  withEmulator({}, async (emulator) => {
    const client = new RegistryClient(emulator);
    emulator.addFaults(on('UploadLayerPart', { kind: 'cut-body', afterBytes: 100_000 }));
    const sent = client.send('PATCH', await client.startUpload(), { body: randomBytes(MIB) });
    await expect(sent).rejects.toThrow(BROKEN);
    const [entry] = emulator.journal.entries({ operation: 'UploadLayerPart' });
    expect(entry?.bytesReceived).toBeLessThan(MIB);
    expect(emulator.uploads()[0]?.nextByte).toBe(0);
  }));

test('a reset strikes a request without a body too', () =>
  withEmulator({}, async (emulator) => {
    emulator.addFaults(on('BatchGetImage', { kind: 'reset' }));
    const sent = new RegistryClient(emulator).send('GET', `${BASE}/manifests/v1`);
    await expect(sent).rejects.toThrow(BROKEN);
  }));

test('a part that fails is answered when the body has been read to its end', () =>
  withEmulator({}, async (emulator) => {
    const client = new RegistryClient(emulator);
    emulator.addFaults(
      on('UploadLayerPart', { kind: 'fail', exception: 'ServerException', httpStatus: 500 }),
    );
    const upload = await client.startUpload();
    const reply = await client.send('PATCH', upload, { body: randomBytes(40 * MIB) });
    expect(reply).toMatchObject({ status: 500, code: 'UNKNOWN' });
    expect(emulator.journal.count({ operation: 'UploadLayerPart' })).toBe(1);
    expect(emulator.uploads()[0]?.nextByte).toBe(0);
  }));

test('a forgotten upload is not found', () =>
  withEmulator({}, async (emulator) => {
    const client = new RegistryClient(emulator);
    emulator.addFaults(on('UploadLayerPart', { kind: 'forget-upload' }));
    const reply = await client.send('PATCH', await client.startUpload(), { body: 'x' });
    expect(reply).toMatchObject({ status: 404, code: 'BLOB_UPLOAD_UNKNOWN' });
  }));

test('a stalled request ends with the emulator', () =>
  withEmulator({}, async (emulator) => {
    const client = new RegistryClient(emulator);
    emulator.addFaults(on('UploadLayerPart', { kind: 'stall' }));
    const sent = client.send('PATCH', await client.startUpload(), { body: randomBytes(1000) });
    const ended = Promise.allSettled([sent]);
    await until(() => emulator.journal.count({ operation: 'UploadLayerPart' }) === 1);
    await emulator.stop();
    expect(await ended).toMatchObject([{ status: 'rejected' }]);
  }));

test('a reply can come late, trickle or be spoiled', () =>
  withEmulator({}, async (emulator, ecr) => {
    const client = new RegistryClient(emulator);
    const manifest = await pushImage(ecr, 'v1');
    const path = `${BASE}/manifests/v1`;
    const after = async (action: FaultAction): Promise<string> => {
      emulator.addFaults(on('BatchGetImage', action));
      return (await client.send('GET', path)).body.toString();
    };
    expect(await after({ kind: 'delay', delayMs: 1 })).toBe(manifest);
    expect(await after({ kind: 'drip', bytesPerSecond: 1e6 })).toBe(manifest);
    expect(await after({ kind: 'garbage', form: 'not-json' })).toBe('this is not JSON');
    expect(await after({ kind: 'garbage', form: 'cut-json' })).toBe(
      manifest.slice(0, Math.floor(manifest.length / 2)),
    );
    emulator.addFaults(on('BatchGetImage', { kind: 'garbage', form: 'html', httpStatus: 504 }));
    const html = await client.send('GET', path);
    expect(html).toMatchObject({ status: 504, headers: { 'content-type': 'text/html' } });
    emulator.addFaults([
      ...on('CompleteLayerUpload', { kind: 'garbage', form: 'wrong-layer-digest' }),
      ...on('UploadLayerPart', { kind: 'garbage', form: 'wrong-last-byte' }, { nth: 1 }),
    ]);
    const upload = await client.startUpload();
    const patched = await client.send('PATCH', upload, { body: '0123456789' });
    expect(patched.headers['range']).toBe('0-8');
    const put = await client.send('PUT', `${upload}?digest=${digestOf('0123456789')}`);
    expect(put.headers['docker-content-digest']).toBe(`sha256:${'0'.repeat(64)}`);
  }));

test('a clock that is off is off for passwords too', () =>
  withEmulator({}, async (emulator) => {
    emulator.addFaults(on('ListImages', { kind: 'skew-clock', skewMs: 13 * 3_600_000 }));
    const reply = await new RegistryClient(emulator).send('GET', `${BASE}/tags/list`);
    expect(reply).toMatchObject({ status: 403, code: 'DENIED' });
    expect(Date.parse(reply.headers.date ?? '') - Date.now()).toBeGreaterThan(12 * 3_600_000);
  }));

test('both doors draw from one quota', () =>
  withEmulator({ quotas: { PutImage: { perSecond: 0.001, burst: 2 } } }, async (emulator, ecr) => {
    const client = new RegistryClient(emulator);
    const layer = await client.pushBlob();
    const manifest = manifestOf(layer, [layer]);
    await ecr.putImage({ repositoryName: REPOSITORY, imageManifest: manifest });
    expect(await client.putManifest('v1', manifest)).toMatchObject({ status: 201 });
    expect(await client.putManifest('v2', manifest)).toMatchObject({
      status: 429,
      code: 'TOOMANYREQUESTS',
      message: 'Rate exceeded',
    });
  }));

test('throttling lasts as long as the fault says', async () => {
  let nowMs = Date.now();
  await withEmulator({ clock: () => nowMs }, async (emulator) => {
    const client = new RegistryClient(emulator);
    emulator.addFaults(on('ListImages', { kind: 'throttle', durationMs: 1000 }));
    const path = `${BASE}/tags/list`;
    expect(await client.send('GET', path)).toMatchObject({ status: 429 });
    expect(await client.send('GET', path)).toMatchObject({ status: 429 });
    nowMs += 1001;
    expect(await client.send('GET', path)).toMatchObject({ status: 200 });
  });
});

test('the journal tells the face, the call and the reply of every request', () =>
  withEmulator({}, async (emulator, ecr) => {
    const client = new RegistryClient(emulator);
    await pushImage(ecr, 'v1');
    emulator.journal.clear();
    await client.send('GET', '/v2/');
    await client.send('GET', '/v2/', { authorization: null });
    await client.send('HEAD', `${BASE}/blobs/${digestOf('none')}`);
    await client.send('HEAD', `${BASE}/manifests/v1`);
    await client.send('GET', `${BASE}/tags/list?n=5`);
    await client.send('GET', `${BASE}/referrers/${digestOf('')}`);
    await client.send('GET', '/v2/_catalog');
    const bytes = randomBytes(20);
    const upload = await client.startUpload();
    await client.send('PUT', `${upload}?digest=${digestOf(bytes)}`, { body: bytes });
    await client.send('PUT', `${upload}?digest=x`, { body: bytes });
    const seen = emulator.journal.entries({ face: 'v2' });
    const short = seen.map((entry) => [
      entry.operation,
      entry.statusCode,
      entry.exception,
      entry.bytesReceived,
    ]);
    expect(short).toEqual([
      [undefined, 200, undefined, 0],
      [undefined, 401, 'UNAUTHORIZED', 0],
      ['BatchCheckLayerAvailability', 404, 'BLOB_UNKNOWN', 0],
      ['BatchGetImage', 200, undefined, 0],
      ['ListImages', 200, undefined, 0],
      ['ListImageReferrers', 200, undefined, 0],
      ['DescribeRepositories', 200, undefined, 0],
      ['InitiateLayerUpload', 202, undefined, 0],
      ['UploadLayerPart', 200, undefined, 20],
      ['CompleteLayerUpload', 201, undefined, 0],
      ['CompleteLayerUpload', 400, 'DIGEST_INVALID', 0],
    ]);
    expect(seen[4]).toMatchObject({
      request: `GET ${BASE}/tags/list`,
      repositoryName: REPOSITORY,
    });
    const uploadId = upload.split('/').at(-1);
    expect(seen[7]).toMatchObject({ uploadId });
    expect(seen[8]).toMatchObject({ uploadId, firstByte: 0, lastByte: 19 });
    expect(emulator.journal.count({ face: 'api' })).toBe(0);
    expect(emulator.journal.maximumConcurrency('UploadLayerPart')).toBe(1);
  }));

test('the service takes its time for every part, and the client feels it', () =>
  withEmulator(
    { network: { roundTripMs: 20, serviceTimeMs: { UploadLayerPart: 40 } } },
    async (emulator) => {
      const client = new RegistryClient(emulator);
      const upload = await client.startUpload();
      const startedAtMs = performance.now();
      await client.send('PATCH', upload, { body: randomBytes(20 * MIB) });
      expect(performance.now() - startedAtMs).toBeGreaterThanOrEqual(2 * 40 + 20 - 2);
    },
  ));
