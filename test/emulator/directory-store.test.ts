import { fork } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { afterEach, expect, test } from 'vitest';
import { startEmulator } from '../../src/emulator/index.ts';
import {
  MIB,
  REPOSITORY,
  clientOf,
  digestOf,
  pushImage,
  pushLayer,
  sendPart,
  startUpload,
} from './fixture.ts';

const directories: string[] = [];

afterEach(async () => {
  for (const directory of directories.splice(0)) await rm(directory, { recursive: true });
});

async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'emulator-store-'));
  directories.push(directory);
  return directory;
}

test('layers, images, tags, settings and open uploads survive a restart', async () => {
  const dataDirectory = await temporaryDirectory();
  const head = randomBytes(5 * MIB);
  const tail = randomBytes(MIB);
  const lone = randomBytes(100);
  let uploadId = '';
  let imageManifest = '';
  {
    await using emulator = await startEmulator({ dataDirectory });
    const client = clientOf(emulator);
    await client.createRepository({ repositoryName: REPOSITORY, imageTagMutability: 'IMMUTABLE' });
    await client.createRepository({ repositoryName: 'gone' });
    await client.deleteRepository({ repositoryName: 'gone' });
    await client.putAccountSetting({ name: 'BLOB_MOUNTING', value: 'ENABLED' });
    imageManifest = await pushImage(client, 'v1');
    await pushLayer(client, lone);
    uploadId = await startUpload(client);
    await sendPart(client, uploadId, 0, head);
    client.destroy();
  }
  await using emulator = await startEmulator({ dataDirectory });
  const client = clientOf(emulator);
  const { repositories } = await client.describeRepositories({});
  expect(repositories).toMatchObject([
    { repositoryName: REPOSITORY, imageTagMutability: 'IMMUTABLE' },
  ]);
  expect((await client.getAccountSetting({ name: 'BLOB_MOUNTING' })).value).toBe('ENABLED');
  const { images } = await client.batchGetImage({
    repositoryName: REPOSITORY,
    imageIds: [{ imageTag: 'v1' }],
  });
  expect(images?.[0]?.imageManifest).toBe(imageManifest);
  expect(Buffer.from(await emulator.readLayer(REPOSITORY, digestOf(lone))).equals(lone)).toBe(true);
  expect(emulator.uploads()).toMatchObject([{ uploadId, nextByte: head.length }]);
  await sendPart(client, uploadId, head.length, tail);
  const whole = Buffer.concat([head, tail]);
  const { layerDigest } = await client.completeLayerUpload({
    repositoryName: REPOSITORY,
    uploadId,
    layerDigests: [digestOf(whole)],
  });
  expect(layerDigest).toBe(digestOf(whole));
  client.destroy();
});

test('bytes that were never acknowledged are cut off', async () => {
  const dataDirectory = await temporaryDirectory();
  const bytes = randomBytes(5 * MIB);
  let uploadId = '';
  {
    await using emulator = await startEmulator({ dataDirectory });
    const client = clientOf(emulator, { requestHandler: emulator.requestHandler });
    await client.createRepository({ repositoryName: REPOSITORY });
    uploadId = await startUpload(client);
    await sendPart(client, uploadId, 0, bytes);
  }
  const folder = join(dataDirectory, 'uploads', uploadId);
  await appendFile(join(folder, 'data'), 'half a part');
  await appendFile(join(folder, 'parts'), '5242880 20');
  await using emulator = await startEmulator({ dataDirectory });
  const client = clientOf(emulator, { requestHandler: emulator.requestHandler });
  expect(await sendPart(client, uploadId, bytes.length, bytes)).toBe(2 * bytes.length - 1);
  await client.completeLayerUpload({
    repositoryName: REPOSITORY,
    uploadId,
    layerDigests: [digestOf(Buffer.concat([bytes, bytes]))],
  });
});

test('a killed emulator keeps every part it has acknowledged', async () => {
  const dataDirectory = await temporaryDirectory();
  // The compiled emulator: a child process of Node 20 cannot load the sources.
  const child = fork(new URL('emulator-child.mjs', import.meta.url), [dataDirectory]);
  const [started] = (await once(child, 'message')) as [{ endpoint: string }];
  const parts = Array.from({ length: 40 }, () => randomBytes(2000));
  let uploadId = '';
  let acknowledgedCount = 0;
  {
    await using other = await startEmulator();
    const client = clientOf(other, { endpoint: started.endpoint });
    await client.createRepository({ repositoryName: REPOSITORY });
    uploadId = await startUpload(client);
    try {
      for (const [index, part] of parts.entries()) {
        const sent = sendPart(client, uploadId, index * 2000, part);
        if (index === 25) child.kill('SIGKILL');
        await sent;
        acknowledgedCount += 1;
      }
    } catch {
      // Killed in the middle of a part: the one that counts is the last that was acknowledged.
    }
    client.destroy();
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  await using emulator = await startEmulator({ dataDirectory });
  const client = clientOf(emulator, { requestHandler: emulator.requestHandler });
  const nextByte = emulator.uploads()[0]?.nextByte ?? 0;
  expect(acknowledgedCount).toBeGreaterThanOrEqual(25);
  expect(nextByte / 2000).toBeGreaterThanOrEqual(acknowledgedCount);
  const rest = Buffer.concat(parts).subarray(nextByte);
  await sendPart(client, uploadId, nextByte, rest.subarray(0, 2000));
  await expect(
    client.completeLayerUpload({
      repositoryName: REPOSITORY,
      uploadId,
      layerDigests: [digestOf('x')],
    }),
  ).rejects.toThrow(expect.objectContaining({ name: 'LayerPartTooSmallException' }));
});
