import type { ECR } from '@aws-sdk/client-ecr';
import { expect, test } from 'vitest';
import { startEmulator } from '../../src/emulator/index.ts';
import { REPOSITORY, digestOf, manifestOf, pushLayer, withEmulator } from './fixture.ts';
import { withFolder } from './foreign-client.ts';
import { RegistryClient } from './registry-client.ts';
import type { RegistryReply } from './registry-client.ts';

async function mount(
  client: RegistryClient,
  digest: string,
  from: string = REPOSITORY,
): Promise<RegistryReply> {
  const query = new URLSearchParams({ mount: digest, from });
  return client.send('POST', `/v2/target/blobs/uploads/?${query.toString()}`);
}

async function prepare(ecr: ECR, value: 'ENABLED' | 'DISABLED'): Promise<string> {
  await ecr.createRepository({ repositoryName: 'target' });
  await ecr.putAccountSetting({ name: 'BLOB_MOUNTING', value });
  const layer = await pushLayer(ecr);
  const imageManifest = manifestOf(layer, [layer]);
  await ecr.putImage({ repositoryName: REPOSITORY, imageManifest });
  return layer;
}

test('a layer that an image names is mounted without its bytes', () =>
  withEmulator({}, async (emulator, ecr) => {
    const digest = await prepare(ecr, 'ENABLED');
    const client = new RegistryClient(emulator);
    for (let round = 0; round < 2; round += 1) {
      expect(await mount(client, digest)).toMatchObject({
        status: 201,
        headers: {
          location: `http://${emulator.registryHost}/v2/target/blobs/${digest}`,
          'docker-content-digest': digest,
        },
      });
    }
    expect(emulator.uploads()).toEqual([]);
    const mounted = await emulator.readLayer('target', digest);
    expect(digestOf(mounted)).toBe(digest);
    const put = await client.putManifest('v1', manifestOf(digest, [digest]), undefined, 'target');
    expect(put.status).toBe(201);
  }));

test('where mounting is off, or nobody names the layer, an upload begins instead', async () => {
  await withEmulator({}, async (emulator, ecr) => {
    const digest = await prepare(ecr, 'DISABLED');
    expect(await mount(new RegistryClient(emulator), digest)).toMatchObject({ status: 202 });
  });
  await withEmulator({}, async (emulator, ecr) => {
    const digest = await prepare(ecr, 'ENABLED');
    const client = new RegistryClient(emulator);
    const lone = await pushLayer(ecr);
    const attempts: readonly (readonly [string, string])[] = [
      [lone, REPOSITORY],
      [digest, 'no/such'],
      [digestOf('none'), REPOSITORY],
      ['nonsense', REPOSITORY],
    ];
    for (const [layer, from] of attempts) {
      expect(await mount(client, layer, from)).toMatchObject({
        status: 202,
        headers: { range: '0-0' },
      });
    }
    const withoutFrom = await client.send('POST', `/v2/target/blobs/uploads/?mount=${digest}`);
    expect(withoutFrom.status).toBe(202);
    expect(emulator.layers('target')).toEqual([]);
  });
});

test('repositories that are encrypted otherwise share nothing', () =>
  withEmulator({}, async (emulator, ecr) => {
    const digest = await prepare(ecr, 'ENABLED');
    await ecr.deleteRepository({ repositoryName: 'target' });
    await ecr.createRepository({
      repositoryName: 'target',
      encryptionConfiguration: { encryptionType: 'KMS', kmsKey: 'key' },
    });
    expect(await mount(new RegistryClient(emulator), digest)).toMatchObject({ status: 202 });
  }));

test('a mounted layer is still there after a restart', () =>
  withFolder(async (dataDirectory) => {
    let digest = '';
    await withEmulator({ dataDirectory }, async (emulator, ecr) => {
      digest = await prepare(ecr, 'ENABLED');
      const client = new RegistryClient(emulator);
      await mount(client, digest);
      await client.putManifest('v1', manifestOf(digest, [digest]), undefined, 'target');
    });
    await using emulator = await startEmulator({ dataDirectory });
    const client = new RegistryClient(emulator);
    const { headers, status } = await client.send('GET', `/v2/target/blobs/${digest}`);
    expect(status).toBe(307);
    const layer = await fetch(headers.location ?? '');
    expect(digestOf(new Uint8Array(await layer.arrayBuffer()))).toBe(digest);
    expect(await client.send('GET', '/v2/target/manifests/v1')).toMatchObject({ status: 200 });
  }));
