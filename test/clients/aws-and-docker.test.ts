import { describe, expect, test } from 'vitest';
import type { Emulator } from '../../src/emulator/index.ts';
import { isInstalled, run, withFolder } from '../emulator/foreign-client.ts';
import { makeImage, makeIndex, memoryImage } from '../image/memory-image.ts';
import { layerBytes } from '../uploader/layer-bytes.ts';
import { REPOSITORY, startRig, type UploadRig } from '../uploader/upload-rig.ts';

const hasAws = isInstalled('aws');
const hasDocker = isInstalled('docker');
const timeout = 60_000;

const [amd64, arm64] = ['amd64', 'arm64'].map((architecture, seed) =>
  makeImage({
    layers: [layerBytes(2000, seed + 1), layerBytes(30, seed + 5)],
    config: Buffer.from(JSON.stringify({ architecture, os: 'linux', rootfs: { type: 'layers' } })),
    platform: { os: 'linux', architecture },
  }),
);
if (amd64 === undefined || arm64 === undefined) throw new Error('two images');
const index = makeIndex([amd64, arm64]);
const manifest = new TextDecoder().decode(index.content.get(index.descriptor.digest));

async function pushed(rig: UploadRig): Promise<void> {
  const image = memoryImage(index);
  await rig.uploader.pushImage({ repository: REPOSITORY, image, tags: ['multi', 'latest'] });
}

async function aws(emulator: Emulator, command: string, ...options: string[]) {
  const { AWS_ENDPOINT_URL_ECR: _, ...variables } = emulator.environment();
  const fixed = ['--endpoint-url', emulator.endpoint, '--output', 'json'];
  const args = ['ecr', command, ...fixed, '--repository-name', REPOSITORY, ...options];
  const environment = {
    ...variables,
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_PAGER: '',
  };
  const { stdout, stderr } = await run('aws', args, environment);
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as Record<string, Record<string, unknown>[]>;
}

describe.skipIf(!hasAws)('the AWS CLI', { timeout }, () => {
  test('gets and describes the index that we pushed, and its images', async () => {
    await using rig = await startRig();
    await pushed(rig);
    const got = await aws(rig.emulator, 'batch-get-image', '--image-ids', 'imageTag=multi');
    expect(got['images']?.[0]?.['imageManifest']).toBe(manifest);
    const described = await aws(rig.emulator, 'describe-images');
    const tags = Object.fromEntries(
      (described['imageDetails'] ?? []).map(({ imageDigest, imageTags }) => [
        imageDigest,
        imageTags,
      ]),
    );
    expect(Object.keys(tags).toSorted()).toEqual(
      [index, amd64, arm64].map(({ descriptor }) => descriptor.digest).toSorted(),
    );
    expect(tags[index.descriptor.digest]).toEqual(expect.arrayContaining(['multi', 'latest']));
  });
});

describe.skipIf(!hasDocker)('docker', { timeout }, () => {
  test('logs in and inspects what we pushed', () =>
    withFolder(async (folder) => {
      await using rig = await startRig();
      await pushed(rig);
      const docker = (...args: string[]) =>
        run('docker', args, { DOCKER_CONFIG: folder, DOCKER_HOST: 'unix:///nowhere' });
      const { username, password } = rig.emulator.dockerCredentials();
      const { registryHost } = rig.emulator;
      const login = await docker('login', '-u', username, '-p', password, registryHost);
      expect(login).toMatchObject({ isOk: true });
      const reference = `${registryHost}/${REPOSITORY}:multi`;
      const inspected = await docker('manifest', 'inspect', '--insecure', reference);
      expect(inspected).toMatchObject({ isOk: true });
      expect(JSON.parse(inspected.stdout)).toEqual(JSON.parse(manifest));
    }));
});
