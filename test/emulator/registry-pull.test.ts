import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import type { Emulator } from '../../src/emulator/index.ts';
import { REPOSITORY, digestOf, pushImage, pushLayer, withEmulator } from './fixture.ts';
import { IMAGE_TYPE, INDEX_TYPE, RegistryClient, basic } from './registry-client.ts';

const BASE = `/v2/${REPOSITORY}`;

test('a manifest is given byte for byte, by tag and by digest, and to HEAD without its bytes', () =>
  withEmulator({}, async (emulator, ecr) => {
    const manifest = await pushImage(ecr, 'v1');
    const digest = digestOf(manifest);
    const client = new RegistryClient(emulator);
    for (const reference of ['v1', digest]) {
      const reply = await client.send('GET', `${BASE}/manifests/${reference}`);
      expect(reply.status).toBe(200);
      expect(reply.body.toString()).toBe(manifest);
      const head = await client.send('HEAD', `${BASE}/manifests/${reference}`);
      expect(head.body).toHaveLength(0);
      for (const { headers } of [reply, head]) {
        expect(headers).toMatchObject({
          'content-type': IMAGE_TYPE,
          'content-length': String(manifest.length),
          'docker-content-digest': digest,
        });
      }
    }
  }));

test.each([
  [`${BASE}/manifests/none`, 'MANIFEST_UNKNOWN', 'Requested image not found'],
  [`${BASE}/manifests/${digestOf('')}`, 'MANIFEST_UNKNOWN', 'Requested image not found'],
  [
    '/v2/no/such/manifests/v1',
    'NAME_UNKNOWN',
    "The repository with name 'no/such' does not exist in the registry with id '123456789012'",
  ],
  ['/v2/no/such/tags/list', 'NAME_UNKNOWN', undefined],
  [`${BASE}/blobs/${digestOf('')}`, 'BLOB_UNKNOWN', undefined],
  [`/v2/no/such/referrers/${digestOf('')}`, 'NAME_UNKNOWN', undefined],
])('%s is not found: %s', (path, code, message) =>
  withEmulator({}, async (emulator) => {
    const reply = await new RegistryClient(emulator).send('GET', path);
    expect(reply).toMatchObject({
      status: 404,
      code,
      ...(message === undefined ? {} : { message }),
    });
  }),
);

test('a layer is a detour to another host, which takes ranges and no password', () =>
  withEmulator({}, async (emulator, ecr) => {
    const manifest = JSON.parse(await pushImage(ecr)) as { layers: { digest: string }[] };
    const layer = manifest.layers[0]?.digest ?? '';
    const bytes = Buffer.from(await emulator.readLayer(REPOSITORY, layer));
    const { headers, status } = await new RegistryClient(emulator).send(
      'GET',
      `${BASE}/blobs/${layer}`,
    );
    expect(status).toBe(307);
    const location = new URL(headers.location ?? '');
    expect(location.hostname).not.toBe(new URL(emulator.endpoint).hostname);
    const whole = await fetch(location);
    expect(Buffer.from(await whole.arrayBuffer()).equals(bytes)).toBe(true);
    const part = await fetch(location, { headers: { range: 'bytes=10-19' } });
    expect(part.status).toBe(206);
    expect(Buffer.from(await part.arrayBuffer()).equals(bytes.subarray(10, 20))).toBe(true);
    const refused = await fetch(location, { headers: { authorization: basic(emulator) } });
    expect(refused.status).toBe(400);
  }));

test('HEAD of a layer tells size and type, also of one that no image names', () =>
  withEmulator({}, async (emulator, ecr) => {
    const client = new RegistryClient(emulator);
    const lone = await pushLayer(ecr, randomBytes(1234));
    const reply = await client.send('HEAD', `${BASE}/blobs/${lone}`);
    expect(reply.status).toBe(200);
    expect(reply.headers).toMatchObject({
      'content-length': '1234',
      'content-type': 'application/octet-stream',
      'docker-content-digest': lone,
    });
    expect(await client.send('GET', `${BASE}/blobs/${lone}`)).toMatchObject({
      status: 404,
      code: 'BLOB_UNKNOWN',
    });
    const { config } = JSON.parse(await pushImage(ecr)) as { config: { digest: string } };
    const named = await client.send('HEAD', `${BASE}/blobs/${config.digest}`);
    expect(named.headers['content-type']).toBe('application/vnd.oci.image.config.v1+json');
    const missing = await client.send('HEAD', `${BASE}/blobs/${digestOf('none')}`);
    expect(missing.status).toBe(404);
    expect(missing.body).toHaveLength(0);
  }));

/** Follows `Link` until there is none; gives the pages. */
async function pagesOf(emulator: Emulator, path: string, member: string): Promise<string[][]> {
  const client = new RegistryClient(emulator);
  const pages: string[][] = [];
  for (let next: string | undefined = path; next !== undefined;) {
    const { headers, json } = await client.send('GET', next);
    pages.push(json[member] as string[]);
    const link = /^<(http:\/\/[^>]+)>; rel="next"$/.exec(String(headers['link']))?.[1];
    const url: URL | undefined = link === undefined ? undefined : new URL(link);
    next = url === undefined ? undefined : `${url.pathname}${url.search}`;
  }
  return pages;
}

test('tags come in pages that link to each other', () =>
  withEmulator({}, async (emulator, ecr) => {
    const client = new RegistryClient(emulator);
    expect((await client.send('GET', `${BASE}/tags/list`)).json).toEqual({
      name: REPOSITORY,
      tags: [],
    });
    const imageManifest = await pushImage(ecr, 'tag-0');
    await pushImage(ecr);
    for (let count = 1; count < 5; count += 1) {
      await ecr.putImage({ repositoryName: REPOSITORY, imageManifest, imageTag: `tag-${count}` });
    }
    const pages = await pagesOf(emulator, `${BASE}/tags/list?n=2`, 'tags');
    expect(pages.map(({ length }) => length)).toEqual([2, 2, 1]);
    expect(pages.flat().toSorted()).toEqual(['tag-0', 'tag-1', 'tag-2', 'tag-3', 'tag-4']);
  }));

test('without n a page holds a hundred tags', () =>
  withEmulator({}, async (emulator, ecr) => {
    const imageManifest = await pushImage(ecr, 'tag-0');
    for (let count = 1; count < 101; count += 1) {
      await ecr.putImage({ repositoryName: REPOSITORY, imageManifest, imageTag: `tag-${count}` });
    }
    const pages = await pagesOf(emulator, `${BASE}/tags/list`, 'tags');
    expect(pages.map(({ length }) => length)).toEqual([100, 1]);
  }));

test.each([
  ['n=1001', "'Member must have value less than or equal to 1000'"],
  ['n=0', 'greater than or equal to 1'],
  ['n=many', 'greater than or equal to 1'],
  ['last=v1', "'nextToken'"],
])('a list with %s is unsupported', (query, text) =>
  withEmulator({}, async (emulator) => {
    const client = new RegistryClient(emulator);
    for (const path of [`${BASE}/tags/list`, '/v2/_catalog']) {
      const reply = await client.send('GET', `${path}?${query}`);
      expect(reply).toMatchObject({ status: 405, code: 'UNSUPPORTED' });
      expect(reply.message).toContain(text);
    }
  }),
);

test('the catalog names all repositories, in pages', () =>
  withEmulator({}, async (emulator, ecr) => {
    for (const repositoryName of ['b1', 'a1']) await ecr.createRepository({ repositoryName });
    const pages = await pagesOf(emulator, '/v2/_catalog?n=2', 'repositories');
    expect(pages).toEqual([['a1', 'b1'], [REPOSITORY]]);
  }));

test('referrers are an index, of one type if asked for, at both doors', () =>
  withEmulator({}, async (emulator, ecr) => {
    const client = new RegistryClient(emulator);
    const config = await client.pushBlob();
    const subject = { mediaType: IMAGE_TYPE, digest: digestOf('not even there'), size: 5 };
    const referrer = (artifactType: string): string =>
      JSON.stringify({
        schemaVersion: 2,
        mediaType: IMAGE_TYPE,
        artifactType,
        config: { mediaType: 'application/vnd.oci.empty.v1+json', digest: config, size: 64 },
        layers: [{ mediaType: 'text/plain', digest: config, size: 64 }],
        subject,
        annotations: { made: 'now' },
      });
    const manifests = ['text/one', 'text/two'].map((type) => referrer(type));
    for (const manifest of manifests) {
      const put = await client.putManifest(digestOf(manifest), manifest);
      expect(put.status).toBe(201);
      expect(put.headers['oci-subject']).toBe(subject.digest);
    }
    const path = `${BASE}/referrers/${subject.digest}`;
    const all = await client.send('GET', path);
    expect(all.headers['content-type']).toBe(INDEX_TYPE);
    expect(all.headers['oci-filters-applied']).toBeUndefined();
    expect(all.json).toMatchObject({ schemaVersion: 2, mediaType: INDEX_TYPE });
    expect(all.json['manifests']).toHaveLength(2);
    const some = await client.send('GET', `${path}?artifactType=text%2Ftwo`);
    expect(some.headers['oci-filters-applied']).toBe('artifactType');
    expect(some.json['manifests']).toEqual([
      {
        mediaType: IMAGE_TYPE,
        digest: digestOf(manifests[1] ?? ''),
        size: manifests[1]?.length,
        artifactType: 'text/two',
        annotations: { made: 'now' },
      },
    ]);
    const none = await client.send('GET', `${BASE}/referrers/${digestOf('')}`);
    expect(none).toMatchObject({ status: 200, json: { manifests: [] } });
    const listed = await ecr.listImageReferrers({
      repositoryName: REPOSITORY,
      subjectId: { imageDigest: subject.digest },
      maxResults: 1,
    });
    expect(listed.referrers).toHaveLength(1);
    expect(listed.nextToken).toBeDefined();
  }));
