import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import type { JournalEntry } from '../../src/emulator/index.ts';
import { MIB, REPOSITORY, digestOf, withEmulator } from './fixture.ts';
import { RegistryClient, basic, until } from './registry-client.ts';
import type { RegistryReply } from './registry-client.ts';

/** Sends a chunk and says where it belongs. */
function patch(
  client: RegistryClient,
  upload: string,
  firstByte: number,
  bytes: Uint8Array,
): Promise<RegistryReply> {
  const range = `${firstByte}-${firstByte + bytes.length - 1}`;
  return client.send('PATCH', upload, { body: bytes, headers: { 'content-range': range } });
}

test("chunks are answered ECR's way: 201 and a range that stays at the first", () =>
  withEmulator({}, async (emulator) => {
    const client = new RegistryClient(emulator);
    const bytes = randomBytes(35 * MIB);
    const upload = await client.startUpload();
    for (let firstByte = 0; firstByte < 30 * MIB; firstByte += 10 * MIB) {
      const chunk = bytes.subarray(firstByte, firstByte + 10 * MIB);
      const reply = await patch(client, upload, firstByte, chunk);
      expect(reply).toMatchObject({ status: 201, headers: { range: '0-10485759' } });
      expect(reply.headers.location).toContain(upload);
    }
    expect(await client.send('GET', upload)).toMatchObject({
      status: 404,
      code: 'BLOB_UPLOAD_UNKNOWN',
    });
    const put = await client.send('PUT', `${upload}?digest=${digestOf(bytes)}`, {
      body: bytes.subarray(30 * MIB),
      headers: { 'content-range': `${30 * MIB}-${35 * MIB - 1}` },
    });
    expect(put.status).toBe(201);
    const [layer] = emulator.layers(REPOSITORY);
    expect(layer).toEqual({ digest: digestOf(bytes), sizeBytes: bytes.length });
  }));

test('chunks are answered by the specification if that is wanted', () =>
  withEmulator({ chunkReplies: 'specification' }, async (emulator) => {
    const client = new RegistryClient(emulator);
    const upload = await client.startUpload();
    expect(await client.send('GET', upload)).toMatchObject({
      status: 204,
      headers: { range: '0-0' },
    });
    for (const firstByte of [0, 100]) {
      const reply = await patch(client, upload, firstByte, randomBytes(100));
      const range = `0-${firstByte + 99}`;
      expect(reply).toMatchObject({ status: 202, headers: { range } });
      expect(await client.send('GET', upload)).toMatchObject({ status: 204, headers: { range } });
    }
  }));

test('a chunk at the wrong place is refused and told the right one', () =>
  withEmulator({}, async (emulator) => {
    const client = new RegistryClient(emulator);
    const upload = await client.startUpload();
    await patch(client, upload, 0, randomBytes(100));
    for (const firstByte of [0, 50, 200]) {
      expect(await patch(client, upload, firstByte, randomBytes(100))).toMatchObject({
        status: 416,
        code: 'BLOB_UPLOAD_INVALID',
        message: `First byte of the layer part is ${firstByte} instead of 100`,
      });
    }
    // Without a range a body is the beginning of a layer.
    expect(await client.send('PATCH', upload, { body: 'x' })).toMatchObject({
      status: 416,
      message: 'First byte of the layer part is 0 instead of 100',
    });
  }));

test.each([
  ['10-5', 416],
  ['a-b', 416],
  ['0-98', 416],
  ['0-100', 416],
  [`0-${'9'.repeat(30)}`, 416],
  ['0-99', 201],
  ['bytes 0-99/*', 201],
  ['bytes=0-99', 201],
])('100 bytes with the range %s are answered with %i', (range, status) =>
  withEmulator({}, async (emulator) => {
    const client = new RegistryClient(emulator);
    const upload = await client.startUpload();
    const headers = { 'content-range': range };
    const reply = await client.send('PATCH', upload, { body: randomBytes(100), headers });
    expect(reply.status).toBe(status);
    expect(reply.code).toBe(status === 416 ? 'BLOB_UPLOAD_INVALID' : undefined);
    expect(emulator.uploads()[0]?.nextByte).toBe(status === 201 ? 100 : 0);
  }),
);

test('small chunks are found out at the end', () =>
  withEmulator({}, async (emulator) => {
    const client = new RegistryClient(emulator);
    const upload = await client.startUpload();
    const bytes = randomBytes(200);
    await patch(client, upload, 0, bytes.subarray(0, 100));
    await patch(client, upload, 100, bytes.subarray(100));
    const put = await client.send('PUT', `${upload}?digest=${digestOf(bytes)}`);
    expect(put).toMatchObject({
      status: 400,
      code: 'BLOB_UPLOAD_INVALID',
      message: 'All layer parts except the last part should be at least 5MB',
    });
  }));

test.each([
  [12, [10, 2], 10],
  [12, [12], 20],
  [15, [10, 5], 20],
  [25, [10, 10, 5], 20],
  [32, [10, 10, 12], 20],
])('a body of %i MiB becomes parts of %j MiB', (sizeMib, partsMib, partSizeMaxMib) =>
  withEmulator({ partSizeMaxBytes: partSizeMaxMib * MIB }, async (emulator) => {
    const client = new RegistryClient(emulator);
    const upload = await client.startUpload();
    const bytes = randomBytes(sizeMib * MIB);
    // Pieces that do not fit the parts, as they come from a network.
    const pieces = function* (): Iterable<Uint8Array> {
      for (let at = 0; at < bytes.length; at += 700_001) yield bytes.subarray(at, at + 700_001);
    };
    const reply = await client.send('PATCH', upload, { body: pieces() });
    expect(reply.status).toBe(201);
    const parts = emulator.uploads()[0]?.parts ?? [];
    expect(parts.map(({ endByte, firstByte }) => (endByte - firstByte) / MIB)).toEqual(partsMib);
    const put = await client.send('PUT', `${upload}?digest=${digestOf(bytes)}`);
    expect(put.status).toBe(201);
    const calls = emulator.journal.entries({ face: 'v2', operation: 'UploadLayerPart' });
    expect(calls.map(({ bytesReceived }) => bytesReceived / MIB)).toEqual(partsMib);
    expect(
      calls
        .map(({ statusCode }) => statusCode)
        .slice(0, -1)
        .every((code) => code === 200),
    ).toBe(true);
    expect(calls.at(-1)).toMatchObject({ statusCode: 201, lastByte: bytes.length - 1 });
  }),
);

test('an upload may be begun at one door and ended at the other', () =>
  withEmulator({}, async (emulator, ecr) => {
    const client = new RegistryClient(emulator);
    const upload = await client.startUpload();
    const bytes = randomBytes(6 * MIB);
    await client.send('PATCH', upload, { body: bytes.subarray(0, 5 * MIB) });
    const input = { repositoryName: REPOSITORY, uploadId: upload.split('/').at(-1) ?? '' };
    await ecr.uploadLayerPart({
      ...input,
      partFirstByte: 5 * MIB,
      partLastByte: 6 * MIB - 1,
      layerPartBlob: bytes.subarray(5 * MIB),
    });
    const done = await ecr.completeLayerUpload({ ...input, layerDigests: [digestOf(bytes)] });
    expect(done.layerDigest).toBe(digestOf(bytes));
  }));

test('bytes that arrived before a connection broke are kept', () =>
  withEmulator({}, async (emulator) => {
    const upload = await new RegistryClient(emulator).startUpload();
    const { hostname, port } = new URL(emulator.endpoint);
    const socket = connect(Number(port), hostname);
    socket.write(
      `PATCH ${upload} HTTP/1.1\r\nhost: x\r\nauthorization: ${basic(emulator)}\r\n` +
        'content-length: 5000\r\n\r\n',
    );
    socket.write(randomBytes(1000));
    const call = (): JournalEntry | undefined =>
      emulator.journal.entries({ operation: 'UploadLayerPart' })[0];
    await until(() => call()?.bytesReceived === 1000);
    socket.destroy();
    await until(() => call()?.endedAtMs !== undefined);
    expect(emulator.uploads()[0]?.nextByte).toBe(1000);
    expect(call()).not.toHaveProperty('statusCode');
  }));

test('where content is discarded a push is counted and believed', () =>
  withEmulator({ discard: true }, async (emulator) => {
    const client = new RegistryClient(emulator);
    const digest = await client.pushBlob(randomBytes(11 * MIB));
    expect(emulator.layers(REPOSITORY)).toEqual([{ digest, sizeBytes: 11 * MIB }]);
  }));
