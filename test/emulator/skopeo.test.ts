import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Emulator, EmulatorOptions } from '../../src/emulator/index.ts';
import { MIB, REPOSITORY, pushImage, withEmulator } from './fixture.ts';
import { isInstalled, run, withFolder } from './foreign-client.ts';
import type { CommandResult } from './foreign-client.ts';
import { readBlob, writeLayout } from './oci-layout.ts';

// The client library of podman, buildah and skopeo: nobody here wrote it.
const hasSkopeo = isInstalled('skopeo');
const timeout = 60_000;

function credentials(emulator: Emulator): string {
  const { password, username } = emulator.dockerCredentials();
  return `${username}:${password}`;
}

function copyTo(emulator: Emulator, source: string, ...options: string[]): Promise<CommandResult> {
  return run('skopeo', [
    '--insecure-policy',
    'copy',
    '--dest-tls-verify=false',
    `--dest-creds=${credentials(emulator)}`,
    ...options,
    source,
    `docker://${emulator.registryHost}/${REPOSITORY}:multi`,
  ]);
}

function copyFrom(emulator: Emulator, target: string): Promise<CommandResult> {
  return run('skopeo', [
    '--insecure-policy',
    'copy',
    '--all',
    '--src-tls-verify=false',
    `--src-creds=${credentials(emulator)}`,
    `docker://${emulator.registryHost}/${REPOSITORY}:multi`,
    target,
  ]);
}

test.skipIf(!hasSkopeo).each<[string, EmulatorOptions]>([
  ["ECR's way", {}],
  ['by the specification', { chunkReplies: 'specification' }],
])(
  'skopeo copies an index there and back byte for byte, chunks answered %s',
  { timeout },
  (_, options) =>
    withFolder((folder) =>
      withEmulator(options, async (emulator) => {
        const [source, target] = [join(folder, 'source'), join(folder, 'target')];
        const { digest } = await writeLayout(source, 11 * MIB);
        const pushed = await copyTo(emulator, `oci:${source}:multi`, '--all');
        expect(pushed).toMatchObject({ isOk: true });
        expect(emulator.layers(REPOSITORY)).toHaveLength(4);
        expect(emulator.uploads()).toEqual([]);
        const pulled = await copyFrom(emulator, `oci:${target}:multi`);
        expect(pulled).toMatchObject({ isOk: true });
        const index = await readBlob(target, digest);
        const { manifests } = JSON.parse(index.toString()) as { manifests: { digest: string }[] };
        for (const manifest of manifests) {
          const text = await readBlob(target, manifest.digest);
          const { layers } = JSON.parse(text.toString()) as { layers: { digest: string }[] };
          const layer = layers[0]?.digest ?? '';
          expect((await readBlob(target, layer)).equals(await readBlob(source, layer))).toBe(true);
        }
        // Nothing is sent twice.
        emulator.journal.clear();
        await copyTo(emulator, `oci:${source}:multi`, '--all');
        expect(emulator.journal.count({ operation: 'UploadLayerPart' })).toBe(0);
      }),
    ),
);

test.skipIf(!hasSkopeo)(
  'skopeo inspects, lists and deletes what the API has pushed',
  { timeout },
  () =>
    withEmulator({}, async (emulator, ecr) => {
      await pushImage(ecr, 'multi');
      await pushImage(ecr, 'other');
      const reference = `docker://${emulator.registryHost}/${REPOSITORY}`;
      const common = ['--tls-verify=false', `--creds=${credentials(emulator)}`];
      const [raw, tags] = await Promise.all([
        run('skopeo', ['inspect', '--raw', ...common, `${reference}:multi`]),
        run('skopeo', ['list-tags', ...common, reference]),
      ]);
      const { images } = await ecr.batchGetImage({
        repositoryName: REPOSITORY,
        imageIds: [{ imageTag: 'multi' }],
      });
      expect(raw.stdout).toBe(images?.[0]?.imageManifest);
      const { Tags } = JSON.parse(tags.stdout) as { Tags: string[] };
      expect(Tags.toSorted()).toEqual(['multi', 'other']);
      const deleted = await run('skopeo', ['delete', ...common, `${reference}:multi`]);
      expect(deleted).toMatchObject({ isOk: true });
      const listed = await ecr.listImages({ repositoryName: REPOSITORY });
      expect(listed.imageIds?.map(({ imageTag }) => imageTag)).toEqual(['other']);
    }),
);

test.skipIf(!hasSkopeo)("skopeo shows ECR's texts to its user", { timeout }, () =>
  withFolder((folder) =>
    withEmulator({}, async (emulator, ecr) => {
      await writeLayout(folder, 100);
      await ecr.deleteRepository({ repositoryName: REPOSITORY });
      const missing = await copyTo(emulator, `oci:${folder}:multi`, '--all');
      expect(missing.stderr).toContain(`The repository with name '${REPOSITORY}' does not exist`);
      const wrong = await copyTo(emulator, `oci:${folder}:multi`, '--dest-creds=AWS:no');
      expect(wrong.isOk).toBe(false);
    }),
  ),
);
