import { startEmulator } from '../../src/emulator/index.ts';
import type { EmulatorOptions } from '../../src/emulator/index.ts';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeContract } from './contract.ts';
import { REPOSITORY, clientOf, withEmulator } from './fixture.ts';

describeContract('over HTTP', (task) => withEmulator({}, (_, client) => task(client)));

describeContract('through the SDK request handler', async (task) => {
  await using emulator = await startEmulator();
  const client = clientOf(emulator, { requestHandler: emulator.requestHandler });
  await client.createRepository({ repositoryName: REPOSITORY });
  await task(client);
});

describeContract('with a data directory', async (task) => {
  const dataDirectory = await mkdtemp(join(tmpdir(), 'emulator-contract-'));
  const options: EmulatorOptions = { dataDirectory };
  try {
    await withEmulator(options, (_, client) => task(client));
  } finally {
    await rm(dataDirectory, { recursive: true });
  }
});
