import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { MIB, REPOSITORY, expectException, post, startUpload, withEmulator } from './fixture.ts';
import { rawRequest } from './raw-request.ts';

const open = { verifySignatures: false } as const;

test.each([
  ['an unknown operation', 'DoSomething', {}],
  ['an operation of another service', 'x', { 'x-amz-target': 'DynamoDB_20120810.PutItem' }],
  ['another content type', 'DescribeRepositories', { 'content-type': 'application/cbor' }],
])('%s is no operation', (_, operation, headers) =>
  withEmulator(open, async (emulator) => {
    const reply = await post(emulator, operation, '{}', headers);
    expect(reply).toMatchObject({ status: 400, body: { __type: 'UnknownOperationException' } });
  }),
);

test.each([
  ['cut JSON', 'InitiateLayerUpload', '{"repositoryName":'],
  ['no body', 'InitiateLayerUpload', ''],
  ['a list', 'InitiateLayerUpload', '[]'],
  ['a number for a string', 'InitiateLayerUpload', '{"repositoryName":5}'],
  ['a cut part', 'UploadLayerPart', '{"layerPartBlob":"AAAA'],
  ['a part of rubbish', 'UploadLayerPart', '{"layerPartBlob":"?"}'],
])('%s does not deserialize', (_, operation, body) =>
  withEmulator(open, async (emulator) => {
    const reply = await post(emulator, operation, body);
    expect(reply).toMatchObject({ status: 400, body: { __type: 'SerializationException' } });
  }),
);

test.each([
  ['InitiateLayerUpload', {}, "'repositoryName'"],
  ['InitiateLayerUpload', { repositoryName: 'UPPER' }, 'must satisfy regular expression'],
  ['InitiateLayerUpload', { repositoryName: 'a' }, 'greater than or equal to 2'],
  [
    'UploadLayerPart',
    { repositoryName: REPOSITORY, uploadId: 'x', layerPartBlob: '' },
    "'uploadId'",
  ],
  ['BatchCheckLayerAvailability', { repositoryName: REPOSITORY, layerDigests: [] }, 'layerDigests'],
  ['DescribeRepositories', { maxResults: 1001 }, 'less than or equal to 1000'],
  ['DescribeRepositories', { nextToken: 'made up' }, "'nextToken'"],
  ['CreateRepository', { repositoryName: 'ok', imageTagMutability: 'MAYBE' }, 'enum value set'],
])('%s refuses %j', (operation, input, text) =>
  withEmulator(open, async (emulator) => {
    const reply = await post(emulator, operation, JSON.stringify(input));
    expect(reply).toMatchObject({ status: 400, body: { __type: 'InvalidParameterException' } });
    expect(reply.body['message']).toContain(text);
  }),
);

test('a part without a blob misses a member', () =>
  withEmulator(open, async (emulator, client) => {
    const uploadId = await startUpload(client);
    const input = { repositoryName: REPOSITORY, uploadId, partFirstByte: 0, partLastByte: 0 };
    const reply = await post(emulator, 'UploadLayerPart', JSON.stringify(input));
    expect(reply.body['message']).toContain("'layerPartBlob'");
  }));

test('more than 20 MiB in a part is an invalid parameter', () =>
  withEmulator({}, async (_, client) => {
    const uploadId = await startUpload(client);
    await expectException(
      client.uploadLayerPart({
        repositoryName: REPOSITORY,
        uploadId,
        partFirstByte: 0,
        partLastByte: 20 * MIB,
        layerPartBlob: new Uint8Array(20 * MIB + 1),
      }),
      { name: 'InvalidParameterException' },
    );
  }));

test('a body that announces too much is refused unread', () =>
  withEmulator(open, async (emulator) => {
    const reply = await rawRequest(
      emulator,
      'POST / HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-amz-json-1.1\r\n' +
        'x-amz-target: AmazonEC2ContainerRegistry_V20150921.UploadLayerPart\r\n' +
        'content-length: 99999999999\r\n\r\n{',
    );
    expect(reply).toMatch(/^HTTP\/1\.1 413 /);
    expect(reply).toMatch(/connection: close/i);
  }));

test('a body that grows too large without announcing it is cut off', () =>
  withEmulator(open, async (emulator) => {
    const chunk = `100000\r\n${' '.repeat(MIB)}\r\n`;
    const reply = await rawRequest(
      emulator,
      'POST / HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-amz-json-1.1\r\n' +
        'x-amz-target: AmazonEC2ContainerRegistry_V20150921.PutImage\r\n' +
        `transfer-encoding: chunked\r\n\r\n${chunk.repeat(10)}`,
    );
    expect(reply).toMatch(/^HTTP\/1\.1 413 /);
  }));

test('a request line of rubbish and an overlong head end the connection', () =>
  withEmulator(open, async (emulator) => {
    expect(await rawRequest(emulator, 'RUBBISH\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /);
    const head = `POST / HTTP/1.1\r\nhost: x\r\nx-long: ${'x'.repeat(40_000)}\r\n\r\n`;
    expect(await rawRequest(emulator, head)).toMatch(/^HTTP\/1\.1 431 /);
  }));

test('a client that breaks off in a body leaves nothing behind', () =>
  withEmulator(open, async (emulator) => {
    const { hostname, port } = new URL(emulator.endpoint);
    const socket = connect(Number(port), hostname);
    socket.write(
      'POST / HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-amz-json-1.1\r\n' +
        'x-amz-target: AmazonEC2ContainerRegistry_V20150921.UploadLayerPart\r\n' +
        'content-length: 5000\r\n\r\n{"layerPartBlob":"AAAA',
    );
    const entry = (): unknown => emulator.journal.entries({ operation: 'UploadLayerPart' })[0];
    while ((entry() as { bytesReceived: number } | undefined)?.bytesReceived !== 22) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    socket.destroy();
    while ((entry() as { endedAtMs?: number }).endedAtMs === undefined) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(entry()).not.toHaveProperty('statusCode');
  }));
