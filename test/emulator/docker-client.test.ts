import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { REPOSITORY, digestOf, withEmulator } from './fixture.ts';
import { isInstalled, run, withFolder } from './foreign-client.ts';
import type { CommandResult } from './foreign-client.ts';
import { RegistryClient, basicOf } from './registry-client.ts';

// The docker command alone: what it does without an engine it does itself, over HTTP.
const hasDocker = isInstalled('docker');
const timeout = 60_000;
const DOCKER_IMAGE_TYPE = 'application/vnd.docker.distribution.manifest.v2+json';

test.skipIf(!hasDocker)('docker logs in, and not with a wrong password', { timeout }, () =>
  withFolder((folder) =>
    withEmulator({}, async (emulator) => {
      const { password, username } = emulator.dockerCredentials();
      const login = (secret: string): Promise<CommandResult> =>
        run('docker', ['login', '-u', username, '-p', secret, emulator.registryHost], {
          DOCKER_CONFIG: folder,
          DOCKER_HOST: 'unix:///nowhere',
        });
      expect(await login('wrong')).toMatchObject({ isOk: false });
      expect(await login(password)).toMatchObject({ isOk: true });
    }),
  ),
);

test.skipIf(!hasDocker)('docker inspects an image and makes an index of it', { timeout }, () =>
  withFolder((folder) =>
    withEmulator({}, async (emulator) => {
      const client = new RegistryClient(emulator);
      const config = Buffer.from(
        '{"architecture":"arm64","os":"linux","rootfs":{"type":"layers"}}',
      );
      const image = JSON.stringify({
        schemaVersion: 2,
        mediaType: DOCKER_IMAGE_TYPE,
        config: {
          mediaType: 'application/vnd.docker.container.image.v1+json',
          digest: await client.pushBlob(config),
          size: config.length,
        },
        layers: [
          {
            mediaType: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
            digest: await client.pushBlob(),
            size: 64,
          },
        ],
      });
      await client.putManifest('one', image, DOCKER_IMAGE_TYPE);

      const { password, username } = emulator.dockerCredentials();
      const auth = basicOf(username, password).slice('Basic '.length);
      const auths = { [emulator.registryHost]: { auth } };
      await writeFile(join(folder, 'config.json'), JSON.stringify({ auths }));
      const docker = (...args: string[]): Promise<CommandResult> =>
        run('docker', ['manifest', ...args], { DOCKER_CONFIG: folder });
      const name = `${emulator.registryHost}/${REPOSITORY}`;
      const inspected = await docker('inspect', '--insecure', `${name}:one`);
      expect(JSON.parse(inspected.stdout)).toEqual(JSON.parse(image));
      const missing = await docker('inspect', '--insecure', `${name}:none`);
      expect(missing.stderr).toContain('no such manifest');
      const created = await docker('create', '--insecure', `${name}:all`, `${name}:one`);
      expect(created).toMatchObject({ isOk: true });
      const pushed = await docker('push', '--insecure', `${name}:all`);
      expect(pushed).toMatchObject({ isOk: true });
      const got = await client.send('GET', `/v2/${REPOSITORY}/manifests/all`);
      expect(got.json['manifests']).toMatchObject([
        { digest: digestOf(image), platform: { architecture: 'arm64' } },
      ]);
    }),
  ),
);
