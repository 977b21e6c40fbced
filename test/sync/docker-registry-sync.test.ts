import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { blobsOf, buildDebianImage, must, PLATFORMS, readBlob } from '../clients/debian-image.ts';
import { isInstalled, withFolder } from '../emulator/foreign-client.ts';
import { startDockerRegistry } from '../registry/docker-registry.ts';
import { startTokenServer } from '../registry/token-server.ts';
import { loadCorpus } from './corpus-loader.ts';
import { makeCorpus } from './corpus-maker.ts';
import { collect, outcomes, startTarget, syncConfig } from './sync-rig.ts';
import { tagsIn, tagsOf } from './target-state.ts';

// The source is Debian's registry with its token authentication, the images are umoci's, and skopeo says
// what the target has.
const hasPrograms = ['docker-registry', 'skopeo', 'umoci', 'dpkg'].map(isInstalled).every(Boolean);
const timeout = 90_000;
const LOGIN = { username: 'somebody', password: 'secret' };
const BASIC = `Basic ${Buffer.from(`${LOGIN.username}:${LOGIN.password}`).toString('base64')}`;

afterEach(() => {
  vi.unstubAllEnvs();
});

function copy(...args: string[]): Promise<unknown> {
  return must('skopeo', '--insecure-policy', 'copy', ...args);
}

describe.skipIf(!hasPrograms)('from a docker-registry with tokens', { timeout }, () => {
  test('images of umoci arrive as they were, by the account of skopeo', () =>
    withFolder(async (folder) => {
      const layout = await buildDebianImage(folder);
      await using tokens = await startTokenServer(BASIC);
      await using registry = await startDockerRegistry(folder, tokens);
      const sourceLogin = `${LOGIN.username}:${LOGIN.password}`;
      for (const [repository, platform] of [
        ['debian/base', 'amd64'],
        ['debian/base', 'arm64'],
        ['debian/copy', 'amd64'],
      ] as const) {
        await copy(
          '--dest-tls-verify=false',
          `--dest-creds=${sourceLogin}`,
          `oci:${layout}:${platform}`,
          `docker://${registry.host}/${repository}:${platform}`,
        );
      }
      await using emulator = (await startTarget({ quotas: 'ecr' })).emulator;
      const { report } = await collect(
        syncConfig(
          registry.host,
          new Map([['target', { emulator }]]),
          {
            from: [`${registry.host}/debian/base`, `${registry.host}/debian/copy`],
            to: 'mirror/{name}',
          },
          {},
        ),
        { credentials: () => Promise.resolve(LOGIN) },
      );
      expect(outcomes(report)).toEqual({ 'copied new': 3 });
      expect(report.targets).toMatchObject([
        // amd64 and arm64 share all blobs but one layer and the config.
        { uploadedBlobCount: 7, mountedBlobCount: 5, mountsRefusedCount: 0, throttledCallCount: 0 },
      ]);
      expect(tokens.requests.length).toBeGreaterThan(0);

      const { username, password } = emulator.dockerCredentials();
      for (const [repository, platform] of [
        ['mirror/base', PLATFORMS[0]],
        ['mirror/base', PLATFORMS[1]],
        ['mirror/copy', PLATFORMS[0]],
      ] as const) {
        const pulled = join(folder, `pulled-${repository.replace('/', '-')}-${platform}`);
        await copy(
          '--src-tls-verify=false',
          `--src-creds=${username}:${password}`,
          `docker://${emulator.registryHost}/${repository}:${platform}`,
          `oci:${pulled}:${platform}`,
        );
        const blobs = await blobsOf(layout, platform);
        expect(await blobsOf(pulled, platform)).toEqual(blobs);
        for (const digest of blobs) {
          const [ours, theirs] = [await readBlob(layout, digest), await readBlob(pulled, digest)];
          expect(ours.equals(theirs)).toBe(true);
        }
      }
    }));

  test('a corpus arrives with its indexes and with what stands in for referrers', () =>
    withFolder(async (folder) => {
      const corpus = makeCorpus({
        seed: 3,
        imageCount: 16,
        repositoryCount: 4,
        layerSizeMaxBytes: 200_000,
        referrerShare: 0.3,
      });
      await using tokens = await startTokenServer(BASIC);
      await using registry = await startDockerRegistry(folder, tokens);
      const { realm, service } = tokens;
      await loadCorpus(corpus, registry.host, {
        standIns: true,
        token: { realm, service, authorization: BASIC },
      });
      await using emulator = (await startTarget()).emulator;
      const mapping = {
        from: corpus.repositories.map(({ name }) => `${registry.host}/${name}`),
        referrers: true,
        tags: { exclude: ['sha256-*'] },
      };
      const config = syncConfig(registry.host, new Map([['target', { emulator }]]), mapping);
      const { report } = await collect(config, { credentials: () => Promise.resolve(LOGIN) });
      expect(report.outcome).toBe('done');
      const names = corpus.repositories.map(({ name }) => name);
      expect(await tagsIn(emulator, names)).toEqual(tagsOf(corpus));
      const again = await collect(config, { credentials: () => Promise.resolve(LOGIN) });
      expect(again.report.targets).toMatchObject([{ uploadedBlobCount: 0, mountedBlobCount: 0 }]);
    }));
});
