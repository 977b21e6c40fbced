/** As `kill.test.ts`, but the emulator is killed as well, and forgets an upload now and then. */

import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { startEmulator } from '../../src/emulator/index.ts';
import { MIB } from '../../src/limits.ts';
import { expectStored } from '../uploader/expectation.ts';
import { digestOf, layerBytes } from '../uploader/layer-bytes.ts';
import { makeRepository, REPOSITORY, uploaderOptionsFor } from '../uploader/upload-rig.ts';
import { type KillableProgram, randomFrom, startProgram } from './killable-program.ts';
import { temporaryFolder } from './temporary-folder.ts';

const ROUNDS = 18;
/** Afterwards nobody is killed any more. */
const LIVES_MAX = 60;
const FORGET_EVERY = 6;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => {
    server.once('listening', resolve);
  });
  const address = server.address();
  await new Promise((resolve) => {
    server.close(resolve);
  });
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return address.port;
}

test('layers come to their end though process and emulator are killed again and again', async () => {
  const random = randomFrom(7);
  await using folder = await temporaryFolder();
  const dataDirectory = join(folder.path, 'data');
  await mkdir(dataDirectory);
  const emulatorTask = {
    dataDirectory,
    port: await freePort(),
    network: { serviceTimeMs: { UploadLayerPart: 150 } },
  };
  // Makes the repository, and tells where the others will be.
  const first = await startEmulator(emulatorTask);
  await makeRepository(first, REPOSITORY);
  const { endpoint: _endpoint, ...options } = uploaderOptionsFor(first);
  const endpoint = first.endpoint;
  await first.stop();

  const layers = ['file', 'stream'].map((kind, index) => {
    const bytes = layerBytes(12 * 5 * MIB + 1000 * index, 40 + index);
    return { kind, bytes, path: join(folder.path, `${index}.tar`), digest: digestOf(bytes) };
  });
  await Promise.all(layers.map(({ path, bytes }) => writeFile(path, bytes)));
  const uploadTask = {
    uploader: {
      ...options,
      endpoint,
      attemptsMax: 30,
      retryDelayMs: 20,
      retryDelayMsMax: 200,
      resumeDirectory: join(folder.path, 'resume'),
    },
    repository: REPOSITORY,
    layers: layers.map(({ bytes: _bytes, ...layer }) => layer),
  };

  const startServer = async (): Promise<KillableProgram> => {
    const server = startProgram('emulator.mjs', emulatorTask);
    await server.tells('ready', 1);
    return server;
  };
  const counts = { process: 0, emulator: 0, forgotten: 0, resumed: 0, restarted: 0 };
  let server = await startServer();
  let isDone = false;
  for (let life = 0; !isDone && life < LIVES_MAX; life += 1) {
    const program = startProgram('upload.mjs', uploadTask);
    if (life < ROUNDS) {
      await program.tells('part-acknowledged', 1);
      await delay(random() * 100);
      if (life % 2 > 0) {
        await server.kill();
        counts.emulator += 1;
        if (life % FORGET_EVERY === 5) counts.forgotten += await forgetUploads(dataDirectory);
        server = await startServer();
        await delay(random() * 300);
      }
      await program.kill();
      if ((await program.ended).isKilled) counts.process += 1;
    }
    isDone = (await program.ended).isDone;
    const types = program.told.map(({ type }) => type);
    if (types.includes('layer-resumed')) counts.resumed += 1;
    if (types.includes('layer-restarted')) counts.restarted += 1;
  }
  await server.kill();
  expect(isDone).toBe(true);
  const last = await startEmulator({ dataDirectory });
  try {
    for (const { bytes } of layers) await expectStored(last, bytes);
  } finally {
    await last.stop();
  }
  expect(await readdir(join(folder.path, 'resume'))).toEqual([]);
  // Else nothing was put to the test.
  for (const count of Object.values(counts)) expect(count).toBeGreaterThan(0);
}, 120_000);

/** As if the uploads had become too old. */
async function forgetUploads(dataDirectory: string): Promise<number> {
  const uploads = join(dataDirectory, 'uploads');
  const names = await readdir(uploads);
  await Promise.all(names.map((name) => rm(join(uploads, name), { recursive: true })));
  return names.length;
}
