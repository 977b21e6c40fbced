import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { ECR } from '@aws-sdk/client-ecr';
import { describe, expect, test, vi } from 'vitest';
import type { Emulator } from '../../src/emulator/index.ts';
import { REPOSITORY, digestOf, expectException, post, pushImage, withEmulator } from './fixture.ts';
import { until } from './registry-client.ts';
import { rawRequest } from './raw-request.ts';

// Bounds that take minutes, or gigabytes, to reach.
vi.mock('../../src/emulator/emulator-limits.ts', async (original) => ({
  ...(await original()),
  CONNECTIONS_MAX: 8,
  HEAD_TIMEOUT_MS: 100,
  IDLE_TIMEOUT_MS: 300,
  REQUEST_TIMEOUT_MS: 1000,
  REPOSITORIES_MAX: 2,
  IMAGES_PER_REPOSITORY_MAX: 2,
  TAGS_PER_IMAGE_MAX: 2,
  MANIFESTS_MAX_BYTES: 1_000_000,
}));

const open = { verifySignatures: false } as const;
const HEAD =
  'POST / HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-amz-json-1.1\r\n' +
  'x-amz-target: AmazonEC2ContainerRegistry_V20150921.DescribeRepositories\r\n';

interface Client {
  readonly socket: Socket;
  readonly closed: Promise<unknown>;
  readonly answer: () => string;
}

function connectTo(emulator: Emulator): Client {
  const { hostname, port } = new URL(emulator.endpoint);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  let answer = '';
  socket.on('data', (piece) => {
    answer += String(piece);
  });
  const closed = new Promise((resolve) => socket.once('close', resolve));
  return { socket, closed, answer: () => answer };
}

/** Writes a byte at a time, for as long as anybody listens. */
async function drip(socket: Socket, byte: string, pauseMs: number): Promise<void> {
  const timer = setInterval(() => void socket.write(byte), pauseMs);
  await once(socket, 'close');
  clearInterval(timer);
}

/** Puts an image with a manifest of 600 kB; gives the manifest. */
async function putLarge(client: ECR, name: string): Promise<string> {
  const small = await pushImage(client);
  await client.batchDeleteImage({
    repositoryName: REPOSITORY,
    imageIds: [{ imageDigest: digestOf(small) }],
  });
  const annotations = { [name]: 'x'.repeat(600_000) };
  const imageManifest = JSON.stringify({ ...(JSON.parse(small) as object), annotations });
  await client.putImage({ repositoryName: REPOSITORY, imageManifest });
  return imageManifest;
}

/** Whoever else comes is served. */
async function expectService(emulator: Emulator): Promise<void> {
  expect(await post(emulator, 'DescribeRepositories', '{}')).toMatchObject({ status: 200 });
}

describe('a client that takes its time is not waited for', () => {
  test('with its head, byte by byte', () =>
    withEmulator(open, async (emulator) => {
      const { socket, answer } = connectTo(emulator);
      socket.write('POST / HTTP/1.1\r\nx: ');
      await drip(socket, 'x', 20);
      expect(answer()).toMatch(/^HTTP\/1\.1 408 /);
      await expectService(emulator);
    }));

  test('with its body, byte by byte', () =>
    withEmulator(open, async (emulator) => {
      const { socket, answer } = connectTo(emulator);
      socket.write(`${HEAD}content-length: 1000\r\n\r\n`);
      await drip(socket, ' ', 20);
      expect(answer()).toMatch(/^HTTP\/1\.1 408 |^$/);
      await expectService(emulator);
    }));

  test.each([
    ['before its head', ''],
    ['in its body', `${HEAD}content-length: 1000\r\n\r\n{`],
    ['in a chunk', `${HEAD}transfer-encoding: chunked\r\n\r\n5\r\n{`],
  ])('silent %s', (_where, text) =>
    withEmulator(open, async (emulator) => {
      const { socket, closed } = connectTo(emulator);
      socket.write(text);
      await closed;
      await expectService(emulator);
    }),
  );

  test('with the reply', () =>
    withEmulator(open, async (emulator, client) => {
      const imageDigest = digestOf(await putLarge(client, 'a'));
      const many = Array.from({ length: 100 }, () => ({ imageDigest }));
      const input = { repositoryName: REPOSITORY, imageIds: many };
      const body = JSON.stringify(input);
      const { socket } = connectTo(emulator);
      // 60 MB, which nobody reads.
      socket.pause();
      const head = HEAD.replace('DescribeRepositories', 'BatchGetImage');
      socket.write(`${head}content-length: ${body.length}\r\n\r\n${body}`);
      // The client does not notice before it reads.
      const hasEnded = (): boolean =>
        emulator.journal.entries({ operation: 'BatchGetImage' })[0]?.endedAtMs !== undefined;
      await until(hasEnded);
      socket.destroy();
      await expectService(emulator);
    }));
});

test('more connections than there may be are turned away, and those there are go on', () =>
  withEmulator(open, async (emulator) => {
    const ask = async ({ socket, answer }: Client): Promise<void> => {
      const before = answer().length;
      socket.write(`${HEAD}content-length: 2\r\n\r\n{}`);
      while (answer().length === before) await once(socket, 'data');
    };
    // The fixture may have one of the eight itself.
    const welcome = Array.from({ length: 7 }, () => connectTo(emulator));
    await Promise.all(welcome.map(ask));
    const surplus = Array.from({ length: 40 }, () => connectTo(emulator));
    await Promise.all(surplus.map(({ closed }) => closed));
    expect(surplus.filter(({ answer }) => answer() !== '').length).toBeLessThanOrEqual(1);
    await Promise.all(welcome.map(ask));
    for (const { socket } of welcome) socket.destroy();
    await Promise.all(welcome.map(({ closed }) => closed));
    await expectService(emulator);
  }));

describe('a length that is none', () => {
  test.each([
    ['negative', 'content-length: -1'],
    ['text', 'content-length: many'],
    ['twice, and different', 'content-length: 2\r\ncontent-length: 3'],
    ['beside chunks', 'content-length: 2\r\ntransfer-encoding: chunked'],
    ['of a chunk, and no number', 'transfer-encoding: chunked\r\n\r\nxyz'],
    ['of a coding that nobody knows', 'transfer-encoding: gzip'],
  ])('(%s) is refused with the connection', (_what, header) =>
    withEmulator(open, async (emulator) => {
      const reply = await rawRequest(emulator, `${HEAD}${header}\r\n\r\n{}`);
      expect(reply).toMatch(/^HTTP\/1\.1 4\d\d [^]*connection: close/i);
      await expectService(emulator);
    }),
  );

  test('shorter than the body leaves a rest that is no request', () =>
    withEmulator(open, async (emulator) => {
      const reply = await rawRequest(
        emulator,
        `${HEAD}content-length: 2\r\n\r\n{}{"rest":1}\r\n\r\n`,
      );
      // Node answers the rest, maybe before what came first has been answered.
      expect(reply).toMatch(/^HTTP\/1\.1 (200|400) /);
      await expectService(emulator);
    }));
});

describe('what a client makes it remember has an end', () => {
  test('repositories', () =>
    withEmulator({}, async (_, client) => {
      await client.createRepository({ repositoryName: 'second' });
      await expectException(client.createRepository({ repositoryName: 'third' }), {
        name: 'LimitExceededException',
      });
    }));

  test('images and their tags', () =>
    withEmulator({}, async (_, client) => {
      const repositoryName = 'team/app';
      const imageManifest = await pushImage(client, 'v1');
      await client.putImage({ repositoryName, imageManifest, imageTag: 'v2' });
      const third = client.putImage({ repositoryName, imageManifest, imageTag: 'v3' });
      await expectException(third, { name: 'LimitExceededException' });
      await pushImage(client, 'v4');
      await expectException(pushImage(client, 'v5'), { name: 'LimitExceededException' });
    }));

  test('bytes of manifests', () =>
    withEmulator({}, async (_, client) => {
      const [first, second] = [await putLarge(client, 'a'), () => putLarge(client, 'b')];
      await expectException(second(), { name: 'ServerException' });
      const imageIds = [{ imageDigest: digestOf(first) }];
      await client.batchDeleteImage({ repositoryName: REPOSITORY, imageIds });
      await expect(second()).resolves.toContain('"b"');
    }));
});

test('a filter of many asterisks takes no time', () =>
  withEmulator({}, async (_, client) => {
    const filter = `${'a*'.repeat(60)}b`;
    await client.createRepository({
      repositoryName: 'starry',
      imageTagMutability: 'IMMUTABLE_WITH_EXCLUSION',
      imageTagMutabilityExclusionFilters: [{ filterType: 'WILDCARD', filter }],
    });
    const startedAtMs = performance.now();
    const imageManifest = await pushImage(client);
    await expectException(
      client.putImage({ repositoryName: 'starry', imageManifest, imageTag: 'a'.repeat(128) }),
      { name: 'LayersNotFoundException' },
    );
    expect(performance.now() - startedAtMs).toBeLessThan(5000);
  }));

describe('it listens to this machine only', () => {
  const others = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal, family }) => !internal && family === 'IPv4');

  test('unless it is told otherwise', () =>
    withEmulator({}, async (emulator) => {
      expect(new URL(emulator.endpoint).hostname).toBe('127.0.0.1');
    }));

  test.skipIf(others.length === 0)('so that no other address of it answers', () =>
    withEmulator(open, async (emulator) => {
      const { port } = new URL(emulator.endpoint);
      const socket = connect(Number(port), others[0]?.address);
      const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
      expect(error.code).toBe('ECONNREFUSED');
    }),
  );

  test.skipIf(others.length === 0)('and to all who ask where it is told so', () =>
    withEmulator({ ...open, host: '0.0.0.0' }, async (emulator) => {
      const { port } = new URL(emulator.endpoint);
      const reply = await fetch(`http://${others[0]?.address}:${port}/v2/`);
      expect(reply.status).toBe(200);
    }),
  );
});
