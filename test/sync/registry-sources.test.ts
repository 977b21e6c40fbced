import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { OCI_IMAGE } from '../../src/image/media-type.ts';
import type { SourceRepository } from '../../src/sync/source-repository.ts';
import { RegistrySources, type RegistrySourcesOptions } from '../../src/sync/registry-sources.ts';
import { layoutFiles, writeFiles } from '../source/layout-folder.ts';
import { makeImage } from '../image/memory-image.ts';
import { newContext, readImage } from '../source/source-context.ts';
import {
  digestOf,
  type FakeOptions,
  type FakeRegistry,
  send,
  startRegistry,
} from '../registry/fake-registry.ts';
import { quiet, testSurroundings } from '../registry/test-surroundings.ts';

const login = { username: 'me', password: 'pass:wörd' };
const layer = Buffer.from('some bytes of a layer');

interface Rig extends AsyncDisposable {
  readonly registry: FakeRegistry;
  readonly sources: RegistrySources;
  repository(name: string): SourceRepository;
}

async function startRig(
  fake: FakeOptions = {},
  options: (host: string) => RegistrySourcesOptions = () => ({}),
): Promise<Rig> {
  const registry = await startRegistry(fake);
  const sources = new RegistrySources({
    surroundings: testSurroundings(),
    ...options(registry.host),
  });
  return {
    registry,
    sources,
    repository: (name) => sources.named(`${registry.host}/${name}`),
    [Symbol.asyncDispose]: async () => {
      await sources.close();
      await registry[Symbol.asyncDispose]();
    },
  };
}

async function namesOf(sources: RegistrySources, from: string): Promise<readonly string[]> {
  const names: string[] = [];
  for await (const { name } of sources.expand(from, quiet())) names.push(name);
  return names;
}

async function tagsOf(repository: SourceRepository): Promise<readonly string[]> {
  const all: string[] = [];
  for await (const page of repository.tags(quiet())) all.push(...page);
  return all;
}

describe('the source repositories that a mapping names', () => {
  test.each([
    ['nginx', 'docker.io/library/nginx'],
    ['team/app', 'docker.io/team/app'],
    ['index.docker.io/library/nginx', 'docker.io/library/nginx'],
    ['ghcr.io/team/app', 'ghcr.io/team/app'],
  ])('%s is %s', async (from, name) => {
    await using rig = await startRig();
    expect(await namesOf(rig.sources, from)).toEqual([name]);
    const [registry = '', ...path] = name.split('/');
    expect(rig.sources.named(from)).toMatchObject({ registry, repository: path.join('/') });
    expect(rig.sources.named(name).name).toBe(name);
  });

  test.each(['nginx:1.25', `nginx@sha256:${'0'.repeat(64)}`, 'oci:', 'UPPER/case', '*.io/a/*'])(
    '%s names none',
    async (from) => {
      await using rig = await startRig();
      await expect(namesOf(rig.sources, from)).rejects.toMatchObject({ code: 'E_OPTION_INVALID' });
    },
  );

  test.each([
    ['*', ['top']],
    ['team/*', ['team/api', 'team/web']],
    ['team/**', ['team/api', 'team/deep/tool', 'team/web']],
    ['**', ['other/api', 'team/api', 'team/deep/tool', 'team/web', 'top']],
    ['*/api', ['other/api', 'team/api']],
    ['team/w*', ['team/web']],
    ['none/*', []],
  ])('by the pattern %s, from all pages of the catalog', async (pattern, expected) => {
    await using rig = await startRig({ auth: 'bearer', login, repositoriesPerPage: 2 }, () => ({
      credentials: () => Promise.resolve(login),
    }));
    const { registry, sources } = rig;
    for (const name of ['team/api', 'team/web', 'team/deep/tool', 'other/api', 'top']) {
      registry.putImage(name, 'v1', []);
    }
    const names = await namesOf(sources, `${registry.host}/${pattern}`);
    expect(names).toEqual(expected.map((name) => `${registry.host}/${name}`));
    expect(registry.requests.some(({ url }) => url.includes('scope=registry%3Acatalog'))).toBe(
      true,
    );
  });

  test('of a registry that denies the list, by the same remedy', async () => {
    await using rig = await startRig({ auth: 'basic', login, repositoriesPerPage: 2 });
    await expect(namesOf(rig.sources, `${rig.registry.host}/team/*`)).rejects.toMatchObject({
      code: 'E_SOURCE_DENIED',
      message: expect.stringContaining('name the repositories one by one') as string,
    });
  });

  test('of a registry that lists none, by the one remedy', async () => {
    await using rig = await startRig();
    await expect(namesOf(rig.sources, `${rig.registry.host}/team/*`)).rejects.toMatchObject({
      code: 'E_SOURCE_REGISTRY',
      message: expect.stringContaining('name the repositories one by one') as string,
    });
  });
});

describe('a repository of a registry', () => {
  test('has its tags and what they point to, by HEAD alone', async () => {
    await using rig = await startRig({ tagsPerPage: 2 });
    const put = ['v1', 'v2', 'v3'].map((tag) => rig.registry.putImage('a/b', tag, [layer]));
    const repository = rig.repository('a/b');
    expect(await tagsOf(repository)).toEqual(['v1', 'v2', 'v3']);
    expect(await repository.resolve('v2', quiet())).toBe(put[1]?.digest);
    expect(await repository.resolve('v9', quiet())).toBeUndefined();
    const ofManifests = rig.registry.requests.filter(({ url }) => url.includes('/manifests/'));
    expect(ofManifests.map(({ method }) => method)).toEqual(['HEAD', 'HEAD']);
  });

  test.each(['without-digest', 'refused'] as const)(
    'tells digests though HEAD is %s, and is asked by HEAD no more',
    async (head) => {
      await using rig = await startRig({ head });
      const put = rig.registry.putImage('a', 'v1', []);
      const repository = rig.repository('a');
      expect(await repository.resolve('v1', quiet())).toBe(put.digest);
      expect(await repository.resolve('v1', quiet())).toBe(put.digest);
      expect(await rig.repository('a').resolve('v2', quiet())).toBeUndefined();
      expect(rig.registry.requests.map(({ method }) => method)).toEqual([
        'HEAD',
        'GET',
        'GET',
        'GET',
      ]);
    },
  );

  test('gives an image to two targets that reads each manifest once', async () => {
    await using rig = await startRig();
    const { digest } = rig.registry.putImage('a', 'v1', [layer]);
    const image = rig.repository('a').image(digest, 'v1');
    expect(image.label).toBe(`${rig.registry.host}/a:v1`);
    const [first, second] = await Promise.all([
      readImage(image, { referrers: true }),
      readImage(image, { referrers: true }),
    ]);
    expect(first.content.get(digest)).toEqual(second.content.get(digest));
    expect([...first.content.keys()]).toContain(digestOf(layer));
    const urls = rig.registry.requests.map(({ url }) => url);
    expect(urls.filter((url) => url.endsWith(`/manifests/${digest}`))).toHaveLength(1);
    expect(urls.filter((url) => url.includes('/referrers/'))).toHaveLength(1);
  });

  test('gives single blobs, from any byte on', async () => {
    await using rig = await startRig();
    const blob = rig.repository('a').blob(rig.registry.putBlob(layer));
    const opened = await blob?.open(quiet());
    const target = new Uint8Array(layer.length);
    expect(await opened?.read(target, 5, quiet())).toBe(layer.length - 5);
    expect(Buffer.from(target.subarray(0, -5))).toEqual(layer.subarray(5));
    await opened?.close();
    expect(rig.registry.requests.map(({ range }) => range)).toEqual(['bytes=5-']);
  });

  test('whose tag moved while the sync ran says so', async () => {
    await using rig = await startRig();
    const before = rig.registry.putImage('a', 'v1', []);
    const image = rig.repository('a').image(before.digest, 'v1');
    const after = rig.registry.putImage('a', 'v1', [layer]);
    rig.registry.removeManifest('a', before.digest);
    await expect(image.open(newContext(), quiet())).rejects.toMatchObject({
      code: 'E_IMAGE_NOT_FOUND',
      message: expect.stringContaining(`v1 moved while the sync ran`) as string,
      details: { wanted: before.digest, choices: [after.digest] },
    });
  });

  test('that has lost an image under an unmoved tag does not speak of moving', async () => {
    await using rig = await startRig();
    const { digest } = rig.registry.putImage('a', 'v1', []);
    rig.registry.removeManifest('a', digest);
    await expect(
      rig.repository('a').image(digest, 'v1').open(newContext(), quiet()),
    ).rejects.toMatchObject({
      code: 'E_IMAGE_NOT_FOUND',
      message: expect.not.stringContaining('moved') as string,
    });
  });

  test('is not reached after the sync', async () => {
    await using rig = await startRig();
    const repository = rig.repository('a');
    await rig.sources.close();
    await expect(repository.resolve('v1', quiet())).rejects.toMatchObject({ code: 'E_CLOSED' });
  });

  test('is not waited for by one of two that is aborted', async () => {
    await using rig = await startRig();
    const { digest } = rig.registry.putImage('a', 'v1', []);
    const arrived = new Promise<() => void>((resolve) => {
      rig.registry.answers.push((_request, response) => {
        resolve(() => send(response, 200, '{}', OCI_IMAGE));
      });
    });
    const image = rig.repository('a').image(digest, 'v1');
    const abort = new AbortController();
    const first = image.open(newContext(), abort.signal);
    const reason = new Error('no more');
    const release = await arrived;
    const second = image.open(newContext(), quiet());
    abort.abort(reason);
    await expect(first).rejects.toBe(reason);
    release();
    await expect(second).rejects.toMatchObject({ code: 'E_DIGEST_MISMATCH' });
    // A failure is not kept.
    await (await image.open(newContext(), quiet())).close();
  });
});

describe('the login of a source registry', () => {
  const settings = { credentials: { username: 'me', passwordEnv: 'REGISTRY_PASSWORD' } };

  test('is the name of the settings and the password of the environment', async () => {
    await using rig = await startRig({ auth: 'basic', login }, (host) => ({
      registries: { [host]: settings },
      environment: { REGISTRY_PASSWORD: login.password },
    }));
    const { digest } = rig.registry.putImage('a', 'v1', []);
    expect(await rig.repository('a').resolve('v1', quiet())).toBe(digest);
  });

  test('is a fault of the configuration if the variable is not set', async () => {
    await using rig = await startRig({ auth: 'basic', login }, (host) => ({
      registries: { [host]: settings },
      environment: {},
    }));
    await expect(rig.repository('a').resolve('v1', quiet())).rejects.toMatchObject({
      code: 'E_OPTION_INVALID',
      message: expect.stringContaining('REGISTRY_PASSWORD, which is not set') as string,
    });
  });

  test("is the caller's before all others", async () => {
    await using rig = await startRig({ auth: 'basic', login }, (host) => ({
      registries: { [host]: settings },
      environment: { REGISTRY_PASSWORD: 'another' },
      credentials: (asked) => Promise.resolve(asked === host ? login : undefined),
    }));
    const { digest } = rig.registry.putImage('a', 'v1', []);
    expect(await rig.repository('a').resolve('v1', quiet())).toBe(digest);
  });

  test("is Docker's where nobody says anything", async () => {
    const folder = mkdtempSync(join(tmpdir(), 'longshore-docker-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    await using rig = await startRig({ auth: 'basic', login }, (host) => {
      const auth = Buffer.from(`${login.username}:${login.password}`).toString('base64');
      writeFileSync(join(folder, 'config.json'), JSON.stringify({ auths: { [host]: { auth } } }));
      return { environment: { DOCKER_CONFIG: folder } };
    });
    const { digest } = rig.registry.putImage('a', 'v1', []);
    expect(await rig.repository('a').resolve('v1', quiet())).toBe(digest);
  });

  test('is not told when it is refused', async () => {
    const password = 'a-secret-that-is-wrong';
    await using rig = await startRig({ auth: 'bearer', login }, (host) => ({
      registries: { [host]: settings },
      environment: { REGISTRY_PASSWORD: password },
    }));
    const error: unknown = await rig
      .repository('a')
      .resolve('v1', quiet())
      .catch((e: unknown) => e);
    expect(error).toMatchObject({ code: 'E_SOURCE_DENIED' });
    const { message, details } = error as { message: string; details: object };
    expect(message + JSON.stringify(details)).not.toContain(password);
    expect(message + JSON.stringify(details)).not.toContain(
      Buffer.from(`me:${password}`).toString('base64'),
    );
  });

  test('needs certificates that can be read', async () => {
    await using rig = await startRig({}, (host) => ({
      registries: { [host]: { certificateAuthorityFile: '/nonexistent/ca.pem' } },
    }));
    await expect(rig.repository('a').resolve('v1', quiet())).rejects.toMatchObject({
      code: 'E_OPTION_INVALID',
      message: expect.stringContaining('/nonexistent/ca.pem: ENOENT') as string,
    });
  });
});

describe('a folder with an OCI layout', () => {
  const images = [makeImage({ layers: [layer] }), makeImage({ layers: [Buffer.from('more')] })];

  function writeLayout(names: readonly string[]): string {
    return writeFiles(
      layoutFiles(
        ...names.map((name, index) => ({
          image: images[index % 2] ?? makeImage({ layers: [] }),
          name,
        })),
      ),
    );
  }

  test('has the tags that its names end with', async () => {
    await using rig = await startRig();
    const folder = writeLayout([
      'v1',
      'registry.example.com:5000/team/app:v2',
      'v1',
      'registry.example.com:5000/team/app',
      'not a tag',
    ]);
    const repository = rig.sources.named(`oci:${folder}`);
    expect(await namesOf(rig.sources, `oci:${folder}`)).toEqual([`oci:${folder}`]);
    expect(repository).toMatchObject({ registry: '', repository: folder.split('/').at(-1) });
    expect(await tagsOf(repository)).toEqual(['v1', 'v2']);
    expect(await repository.resolve('v1', quiet())).toBe(images[0]?.descriptor.digest);
    expect(await repository.resolve('v2', quiet())).toBe(images[1]?.descriptor.digest);
    expect(await repository.resolve('v3', quiet())).toBeUndefined();
  });

  test('gives its images by their digests', async () => {
    await using rig = await startRig();
    const folder = writeLayout(['v1', 'v2']);
    const repository = rig.sources.named(`oci:${folder}`);
    const [, second] = images;
    const digest = second?.descriptor.digest ?? 'sha256:';
    const { graph, content } = await readImage(repository.image(digest, 'v2'));
    expect(graph.nodes.map(({ manifest }) => manifest.digest)).toEqual([digest]);
    expect([...content.keys()].toSorted()).toEqual([...(second?.content.keys() ?? [])].toSorted());
  });

  test('that is none can be mended and read again', async () => {
    await using rig = await startRig();
    const folder = writeLayout(['v1']);
    const index = join(folder, 'index.json');
    const sound = readFileSync(index);
    writeFileSync(index, 'no JSON');
    const repository = rig.sources.named(`oci:${folder}`);
    await expect(repository.resolve('v1', quiet())).rejects.toMatchObject({
      code: 'E_IMAGE_INVALID',
    });
    writeFileSync(index, sound);
    expect(await repository.resolve('v1', quiet())).toBe(images[0]?.descriptor.digest);
  });
});
