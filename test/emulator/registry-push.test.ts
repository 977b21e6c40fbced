import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { MIB, REPOSITORY, digestOf, manifestOf, pushImage, withEmulator } from './fixture.ts';
import { INDEX_TYPE, RegistryClient } from './registry-client.ts';

const BASE = `/v2/${REPOSITORY}`;
const NOWHERE = '00000000-0000-4000-8000-000000000000';

test('an upload begins with a place, an id and an empty range', () =>
  withEmulator({}, async (emulator) => {
    const reply = await new RegistryClient(emulator).send('POST', `${BASE}/blobs/uploads/`);
    const uploadId = emulator.uploads()[0]?.uploadId;
    expect(reply).toMatchObject({
      status: 202,
      headers: {
        location: `http://${emulator.registryHost}${BASE}/blobs/uploads/${uploadId}`,
        'docker-upload-uuid': uploadId,
        range: '0-0',
      },
    });
  }));

test('places lead back to the host by which the client came', () =>
  withEmulator({}, async (emulator) => {
    const client = new RegistryClient(emulator);
    const locationFor = async (host: string): Promise<string> => {
      const reply = await client.send('POST', `${BASE}/blobs/uploads/`, { headers: { host } });
      return new URL(reply.headers.location ?? '').host;
    };
    expect(await locationFor('proxy.example:5000')).toBe('proxy.example:5000');
    expect(await locationFor('evil/path?x')).toBe(emulator.registryHost);
  }));

test.each([
  ['with its length', (bytes: Buffer) => bytes],
  ['in pieces of unknown total', (bytes: Buffer) => [bytes.subarray(0, 9), bytes.subarray(9)]],
])('a layer goes whole into one PUT, %s', (_, bodyOf) =>
  withEmulator({}, async (emulator) => {
    const client = new RegistryClient(emulator);
    const bytes = randomBytes(100_000);
    const digest = digestOf(bytes);
    const upload = await client.startUpload();
    const reply = await client.send('PUT', `${upload}?digest=${digest}`, { body: bodyOf(bytes) });
    expect(reply).toMatchObject({
      status: 201,
      headers: {
        'docker-content-digest': digest,
        location: `http://${emulator.registryHost}${BASE}/blobs/${digest}`,
      },
    });
    expect(Buffer.from(await emulator.readLayer(REPOSITORY, digest)).equals(bytes)).toBe(true);
    expect(emulator.uploads()).toEqual([]);
  }),
);

test('a POST with a digest is no more than a start', () =>
  withEmulator({}, async (emulator) => {
    const bytes = randomBytes(100);
    const reply = await new RegistryClient(emulator).send(
      'POST',
      `${BASE}/blobs/uploads/?digest=${digestOf(bytes)}`,
      { body: bytes },
    );
    expect(reply.status).toBe(202);
    expect(emulator.layers(REPOSITORY)).toEqual([]);
  }));

test('an empty layer has no parts, so it cannot be', () =>
  withEmulator({}, async (emulator) => {
    const client = new RegistryClient(emulator);
    const upload = await client.startUpload();
    const uploadId = emulator.uploads()[0]?.uploadId;
    expect(await client.send('PUT', `${upload}?digest=${digestOf('')}`)).toMatchObject({
      status: 400,
      code: 'BLOB_UPLOAD_INVALID',
      message:
        `The upload with id '${uploadId}' in the repository with name '${REPOSITORY}' in registry ` +
        `with id '123456789012' cannot be completed because it does not have any parts`,
    });
  }));

test('a digest must be given, well-formed and that of the bytes', () =>
  withEmulator({}, async (emulator) => {
    const client = new RegistryClient(emulator);
    const upload = await client.startUpload();
    for (const query of ['', '?digest=x', '?digest=sha512:00', `?digest=${digestOf('other')}`]) {
      const fresh = query.length > 40 ? await client.startUpload() : upload;
      const reply = await client.send('PUT', `${fresh}${query}`, { body: 'bytes' });
      expect(reply).toMatchObject({ status: 400, code: 'DIGEST_INVALID' });
    }
    // What was refused by its head has not touched the upload.
    expect(emulator.uploads()[0]?.nextByte).toBe(0);
  }));

test('pushing a layer that is there succeeds', () =>
  withEmulator({}, async (emulator) => {
    const client = new RegistryClient(emulator);
    const bytes = randomBytes(10);
    await client.pushBlob(bytes);
    const upload = await client.startUpload();
    const reply = await client.send('PUT', `${upload}?digest=${digestOf(bytes)}`, { body: bytes });
    expect(reply.status).toBe(201);
    expect(emulator.layers(REPOSITORY)).toHaveLength(1);
  }));

test('an upload that is not known is not found, whatever is done to it', () =>
  withEmulator({}, async (emulator, ecr) => {
    await ecr.createRepository({ repositoryName: 'other' });
    const client = new RegistryClient(emulator);
    const foreign = (await client.startUpload()).replace(REPOSITORY, 'other');
    for (const upload of [`${BASE}/blobs/uploads/${NOWHERE}`, `${BASE}/blobs/uploads/x`, foreign]) {
      const expected = { status: 404, code: 'BLOB_UPLOAD_UNKNOWN' };
      expect(await client.send('PATCH', upload, { body: 'x' })).toMatchObject(expected);
      expect(await client.send('PATCH', upload)).toMatchObject(expected);
      const put = await client.send('PUT', `${upload}?digest=${digestOf('x')}`, { body: 'x' });
      expect(put).toMatchObject(expected);
      expect(await client.send('DELETE', upload)).toMatchObject(expected);
      expect(await client.send('GET', upload)).toMatchObject(expected);
    }
  }));

test('an upload can be dropped', () =>
  withEmulator({}, async (emulator) => {
    const client = new RegistryClient(emulator);
    const upload = await client.startUpload();
    expect(await client.send('DELETE', upload)).toMatchObject({ status: 204 });
    expect(emulator.uploads()).toEqual([]);
  }));

test('a manifest is put under a tag and without one, and says where it is by digest only', () =>
  withEmulator({}, async (emulator, ecr) => {
    const client = new RegistryClient(emulator);
    const layer = await client.pushBlob();
    const manifest = manifestOf(layer, [layer]);
    for (const reference of [digestOf(manifest), 'v1', 'v1', digestOf(manifest)]) {
      const reply = await client.putManifest(reference, manifest);
      expect(reply.status).toBe(201);
      expect(reply.headers['docker-content-digest']).toBe(digestOf(manifest));
      expect(reply.headers).not.toHaveProperty('location');
      expect(reply.headers).not.toHaveProperty('oci-subject');
    }
    const { imageIds } = await ecr.listImages({ repositoryName: REPOSITORY });
    expect(imageIds).toEqual([{ imageDigest: digestOf(manifest), imageTag: 'v1' }]);
  }));

test('the type of a manifest may come from the header alone', () =>
  withEmulator({}, async (emulator) => {
    const client = new RegistryClient(emulator);
    const layer = await client.pushBlob();
    const { mediaType: _, ...rest } = JSON.parse(manifestOf(layer, [layer])) as object & {
      mediaType: string;
    };
    const type = 'application/vnd.docker.distribution.manifest.v2+json';
    const put = await client.putManifest('v2', JSON.stringify(rest), `${type}; charset=utf-8`);
    expect(put.status).toBe(201);
    const got = await client.send('GET', `${BASE}/manifests/v2`);
    expect(got.headers['content-type']).toBe(type);
  }));

test.each([
  ['no JSON', '{', 405, 'UNSUPPORTED'],
  ['nothing', '', 405, 'UNSUPPORTED'],
  ['no text', Buffer.from([0xff, 0xfe, 0x00]), 405, 'UNSUPPORTED'],
  ['text of over 4 Mi characters', ' '.repeat(4 * MIB + 1), 405, 'UNSUPPORTED'],
  ['text of over 8 MiB', ' '.repeat(8 * MIB + 1), 413, 'SIZE_INVALID'],
  ['no layers', manifestOf(digestOf(''), []), 405, 'UNSUPPORTED'],
  ['missing layers', manifestOf(digestOf(''), [digestOf('')]), 404, 'BLOB_UPLOAD_UNKNOWN'],
])('a manifest of %s is refused', (_, body, status, code) =>
  withEmulator({}, async (emulator) => {
    const reply = await new RegistryClient(emulator).send('PUT', `${BASE}/manifests/v1`, { body });
    expect(reply).toMatchObject({ status, code });
    expect(emulator.journal.entries({ operation: 'PutImage', statusCode: status })).toHaveLength(1);
  }),
);

test('a manifest put under a digest that is not its own is refused', () =>
  withEmulator({}, async (emulator) => {
    const client = new RegistryClient(emulator);
    const layer = await client.pushBlob();
    const reply = await client.putManifest(digestOf('other'), manifestOf(layer, [layer]));
    expect(reply).toMatchObject({ status: 400, code: 'DIGEST_INVALID' });
  }));

test('an index needs its children, and is then given back as it is', () =>
  withEmulator({}, async (emulator) => {
    const client = new RegistryClient(emulator);
    const child = await client.pushImage();
    const indexOf = (digest: string): string =>
      JSON.stringify({
        schemaVersion: 2,
        mediaType: INDEX_TYPE,
        manifests: [{ mediaType: 'application/vnd.oci.image.manifest.v1+json', digest, size: 9 }],
      });
    const missing = digestOf('none');
    expect(await client.putManifest('all', indexOf(missing), INDEX_TYPE)).toMatchObject({
      status: 404,
      code: 'MANIFEST_BLOB_UNKNOWN',
      message:
        `Images with digests '[${missing}]' required for pushing image into repository with name ` +
        `'${REPOSITORY}' in the registry with id '123456789012' do not exist`,
    });
    const index = indexOf(digestOf(child));
    expect(await client.putManifest('all', index, INDEX_TYPE)).toMatchObject({ status: 201 });
    const got = await client.send('GET', `${BASE}/manifests/all`);
    expect(got.body.toString()).toBe(index);
    expect(got.headers['content-type']).toBe(INDEX_TYPE);
    const deletion = await client.send('DELETE', `${BASE}/manifests/${digestOf(child)}`);
    expect(deletion).toMatchObject({ status: 403, code: 'DENIED' });
  }));

test('a tag of an immutable repository can be set once, even to the same image', () =>
  withEmulator({}, async (emulator, ecr) => {
    await ecr.createRepository({ repositoryName: 'fixed', imageTagMutability: 'IMMUTABLE' });
    const client = new RegistryClient(emulator);
    const manifest = await client.pushImage('v1', {}, 'fixed');
    const other = await client.pushImage(undefined, {}, 'fixed');
    for (const text of [manifest, other]) {
      expect(await client.putManifest('v1', text, undefined, 'fixed')).toMatchObject({
        status: 400,
        code: 'TAG_INVALID',
        message:
          "The image tag 'v1' already exists in the 'fixed' repository and cannot be overwritten " +
          'because the repository is immutable.',
      });
    }
    const again = await client.putManifest(digestOf(manifest), manifest, undefined, 'fixed');
    expect(again.status).toBe(201);
  }));

test('a new layer is not seen at once where PutImage lags', async () => {
  let nowMs = Date.now();
  await withEmulator({ putImageLagMs: 300, clock: () => nowMs }, async (emulator) => {
    const client = new RegistryClient(emulator);
    const layer = await client.pushBlob();
    const manifest = manifestOf(layer, [layer]);
    expect(await client.putManifest('v1', manifest)).toMatchObject({ code: 'BLOB_UPLOAD_UNKNOWN' });
    nowMs += 301;
    expect(await client.putManifest('v1', manifest)).toMatchObject({ status: 201 });
  });
});

test('manifests and tags can be deleted', () =>
  withEmulator({}, async (emulator, ecr) => {
    const client = new RegistryClient(emulator);
    const manifest = await pushImage(ecr, 'v1');
    await client.putManifest('v2', manifest);
    expect(await client.send('DELETE', `${BASE}/manifests/v1`)).toMatchObject({ status: 202 });
    expect(await client.send('GET', `${BASE}/manifests/v1`)).toMatchObject({ status: 404 });
    const path = `${BASE}/manifests/${digestOf(manifest)}`;
    expect(await client.send('DELETE', path)).toMatchObject({ status: 202 });
    expect(await client.send('DELETE', path)).toMatchObject({
      status: 404,
      code: 'MANIFEST_UNKNOWN',
    });
  }));

test('a repository that is missing is named, dropped or created, as one likes', async () => {
  await withEmulator({}, async (emulator) => {
    const client = new RegistryClient(emulator);
    const expected = {
      status: 404,
      code: 'NAME_UNKNOWN',
      message:
        "The repository with name 'not/there' does not exist in the registry with id '123456789012'",
    };
    expect(await client.send('POST', '/v2/not/there/blobs/uploads/')).toMatchObject(expected);
    const put = await client.putManifest('x', manifestOf('', []), undefined, 'not/there');
    expect(put).toMatchObject(expected);
  });
  await withEmulator({ missingRepository: 'drop' }, async (emulator) => {
    const client = new RegistryClient(emulator);
    await expect(client.send('POST', '/v2/not/there/blobs/uploads/')).rejects.toThrow(
      /hang up|ECONNRESET/,
    );
    const head = await client.send('HEAD', `/v2/not/there/blobs/${digestOf('')}`);
    expect(head.status).toBe(404);
  });
  await withEmulator({ missingRepository: 'create' }, async (emulator, ecr) => {
    const client = new RegistryClient(emulator);
    await Promise.all([client.startUpload('not/there'), client.startUpload('not/there')]);
    await client.pushImage('v1', {}, 'not/there');
    const { repositories } = await ecr.describeRepositories({ repositoryNames: ['not/there'] });
    expect(repositories?.[0]?.imageTagMutability).toBe('MUTABLE');
  });
});
