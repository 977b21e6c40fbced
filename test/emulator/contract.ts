/** Behaviours every door of the emulator must show; real ECR should show them too. */

import { randomBytes } from 'node:crypto';
import type { ECR, ListImageReferrersResponse } from '@aws-sdk/client-ecr';
import { describe, expect, test } from 'vitest';
import {
  MIB,
  REPOSITORY,
  digestOf,
  expectException,
  manifestOf,
  pushImage,
  pushLayer,
  sendPart,
  startUpload,
} from './fixture.ts';

/** Gives a client whose registry has an empty repository `team/app`, and is torn down after. */
export type Connect = (task: (client: ECR) => Promise<void>) => Promise<void>;

const NOWHERE = '00000000-0000-4000-8000-000000000000';
const REGISTRY_ID = '123456789012';

export function describeContract(name: string, connect: Connect): void {
  describe(name, () => {
    describeUploads(connect);
    describeImages(connect);
    describeRepositories(connect);
  });
}

function describeUploads(connect: Connect): void {
  test('a layer lives from initiate to download check', () =>
    connect(async (client) => {
      const bytes = randomBytes(6 * MIB);
      const digest = digestOf(bytes);
      const { partSize, uploadId = '' } = await client.initiateLayerUpload({
        repositoryName: REPOSITORY,
      });
      expect(partSize).toBe(10 * MIB);
      expect(await sendPart(client, uploadId, 0, bytes.subarray(0, 5 * MIB))).toBe(5 * MIB - 1);
      expect(await sendPart(client, uploadId, 5 * MIB, bytes.subarray(5 * MIB))).toBe(6 * MIB - 1);
      const done = await client.completeLayerUpload({
        repositoryName: REPOSITORY,
        uploadId,
        layerDigests: ['md5:00ff', digest],
      });
      expect(done).toMatchObject({ layerDigest: digest, uploadId, registryId: REGISTRY_ID });
      const check = await client.batchCheckLayerAvailability({
        repositoryName: REPOSITORY,
        layerDigests: [digest, digestOf('other'), 'nonsense', ''],
      });
      expect(check.layers).toMatchObject([
        { layerDigest: digest, layerAvailability: 'AVAILABLE', layerSize: 6 * MIB },
        { layerDigest: digestOf('other'), layerAvailability: 'UNAVAILABLE' },
      ]);
      expect(check.failures?.map(({ failureCode }) => failureCode)).toEqual([
        'InvalidLayerDigest',
        'MissingLayerDigest',
      ]);
    }));

  test('parts out of order are refused and name the last valid byte', () =>
    connect(async (client) => {
      const uploadId = await startUpload(client);
      await expectException(sendPart(client, uploadId, 5, randomBytes(3)), {
        name: 'InvalidLayerPartException',
        message: 'First byte of the layer part is 5 instead of 0',
        lastValidByteReceived: 0,
      });
      await sendPart(client, uploadId, 0, randomBytes(10));
      await expectException(sendPart(client, uploadId, 0, randomBytes(10)), {
        name: 'InvalidLayerPartException',
        message: 'First byte of the layer part is 0 instead of 10',
        lastValidByteReceived: 9,
        registryId: REGISTRY_ID,
        repositoryName: REPOSITORY,
        uploadId,
      });
    }));

  test('of two equal parts that race exactly one is taken', () =>
    connect(async (client) => {
      const uploadId = await startUpload(client);
      const bytes = randomBytes(MIB);
      const results = await Promise.allSettled([
        sendPart(client, uploadId, 0, bytes),
        sendPart(client, uploadId, 0, bytes),
      ]);
      expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    }));

  test('a range that does not fit the content is refused', () =>
    connect(async (client) => {
      const uploadId = await startUpload(client);
      await expectException(
        client.uploadLayerPart({
          repositoryName: REPOSITORY,
          uploadId,
          partFirstByte: 0,
          partLastByte: 10,
          layerPartBlob: randomBytes(10),
        }),
        { name: 'InvalidLayerPartException' },
      );
    }));

  test('Complete refuses empty uploads, small parts and wrong digests', () =>
    connect(async (client) => {
      const complete = (uploadId: string, digest: string): Promise<unknown> =>
        client.completeLayerUpload({
          repositoryName: REPOSITORY,
          uploadId,
          layerDigests: [digest],
        });
      const empty = await startUpload(client);
      await expectException(complete(empty, digestOf('')), {
        name: 'EmptyUploadException',
        message:
          `The upload with id '${empty}' in the repository with name '${REPOSITORY}' in registry ` +
          `with id '${REGISTRY_ID}' cannot be completed because it does not have any parts`,
      });
      const small = await startUpload(client);
      await sendPart(client, small, 0, randomBytes(10));
      await sendPart(client, small, 10, randomBytes(10));
      await expectException(complete(small, digestOf('')), {
        name: 'LayerPartTooSmallException',
        message: 'All layer parts except the last part should be at least 5MB',
      });
      const wrong = await startUpload(client);
      await sendPart(client, wrong, 0, randomBytes(10));
      await expectException(complete(wrong, digestOf('other')), {
        name: 'InvalidLayerException',
        message: 'None of the provided layer digests match the calculated layer digest',
      });
    }));

  test('a layer that is there already is refused only at Complete', () =>
    connect(async (client) => {
      const bytes = randomBytes(20);
      await pushLayer(client, bytes);
      await expectException(pushLayer(client, bytes), { name: 'LayerAlreadyExistsException' });
    }));

  test('an upload is known to its own repository only, and until it is completed', () =>
    connect(async (client) => {
      await client.createRepository({ repositoryName: 'other' });
      const foreign = await startUpload(client, 'other');
      for (const uploadId of [NOWHERE, foreign]) {
        await expectException(sendPart(client, uploadId, 0, randomBytes(3)), {
          name: 'UploadNotFoundException',
        });
      }
      const bytes = randomBytes(9);
      const uploadId = await startUpload(client);
      const input = { repositoryName: REPOSITORY, uploadId, layerDigests: [digestOf(bytes)] };
      await sendPart(client, uploadId, 0, bytes);
      await client.completeLayerUpload(input);
      await expectException(client.completeLayerUpload(input), { name: 'UploadNotFoundException' });
    }));

  test('a download URL is given for layers of an image only', () =>
    connect(async (client) => {
      const layer = await pushLayer(client);
      const ask = (layerDigest: string): Promise<unknown> =>
        client.getDownloadUrlForLayer({ repositoryName: REPOSITORY, layerDigest });
      await expectException(ask(digestOf('none')), { name: 'LayersNotFoundException' });
      await expectException(ask(layer), { name: 'LayerInaccessibleException' });
      await client.putImage({
        repositoryName: REPOSITORY,
        imageManifest: manifestOf(layer, [layer]),
      });
      expect(await ask(layer)).toMatchObject({ layerDigest: layer });
    }));
}

function describeImages(connect: Connect): void {
  test('PutImage refuses missing layers, wrong digests and unsound manifests', () =>
    connect(async (client) => {
      const layer = await pushLayer(client);
      const missing = digestOf('missing');
      const put = (imageManifest: string, rest: object = {}): Promise<unknown> =>
        client.putImage({ repositoryName: REPOSITORY, imageManifest, ...rest });
      await expectException(put(manifestOf(layer, [missing])), {
        name: 'LayersNotFoundException',
        message:
          `Layers with digests '[${missing}]' required for pushing image into repository with ` +
          `name '${REPOSITORY}' in the registry with id '${REGISTRY_ID}' do not exist`,
      });
      await expectException(put(manifestOf(layer, [layer]), { imageDigest: missing }), {
        name: 'ImageDigestDoesNotMatchException',
      });
      await expectException(put('{'), {
        name: 'InvalidParameterException',
        message:
          "Invalid parameter at 'ImageManifest' failed to satisfy constraint: 'Invalid JSON syntax'",
      });
      const many = Array.from({ length: 501 }, () => layer);
      await expectException(put(manifestOf(layer, many)), {
        name: 'InvalidParameterException',
        message:
          "Invalid parameter at 'ImageManifest' failed to satisfy constraint: " +
          "'Limit on number of layers per image exceeded'",
      });
      await expectException(put('{"schemaVersion":2,"config":{},"layers":[]}'), {
        name: 'InvalidParameterException',
      });
    }));

  test('the same image under the same tag exists already, another tag is added', () =>
    connect(async (client) => {
      const imageManifest = await pushImage(client, 'one');
      const digest = digestOf(imageManifest);
      const again = { repositoryName: REPOSITORY, imageManifest };
      await expectException(client.putImage({ ...again, imageTag: 'one' }), {
        name: 'ImageAlreadyExistsException',
        message:
          `Image with digest '${digest}' and tag 'one' already exists in the repository with name ` +
          `'${REPOSITORY}' in registry with id '${REGISTRY_ID}'`,
      });
      await expectException(client.putImage(again), { name: 'ImageAlreadyExistsException' });
      await client.putImage({ ...again, imageTag: 'two' });
      const { imageIds } = await client.listImages({ repositoryName: REPOSITORY });
      expect(imageIds).toEqual([
        { imageDigest: digest, imageTag: 'one' },
        { imageDigest: digest, imageTag: 'two' },
      ]);
    }));

  test('an index needs its children first', () =>
    connect(async (client) => {
      const child = await pushImage(client);
      const index = (digest: string): string =>
        JSON.stringify({
          schemaVersion: 2,
          mediaType: 'application/vnd.oci.image.index.v1+json',
          manifests: [
            { mediaType: 'application/vnd.oci.image.manifest.v1+json', digest, size: child.length },
          ],
        });
      await expectException(
        client.putImage({ repositoryName: REPOSITORY, imageManifest: index(digestOf('none')) }),
        { name: 'ReferencedImagesNotFoundException' },
      );
      await client.putImage({
        repositoryName: REPOSITORY,
        imageManifest: index(digestOf(child)),
        imageTag: 'multi',
      });
      const deletion = await client.batchDeleteImage({
        repositoryName: REPOSITORY,
        imageIds: [{ imageDigest: digestOf(child) }],
      });
      expect(deletion.failures?.[0]?.failureCode).toBe('ImageReferencedByManifestList');
    }));

  test('images are found by tag and digest, byte for byte', () =>
    connect(async (client) => {
      const imageManifest = await pushImage(client, 'latest');
      const imageDigest = digestOf(imageManifest);
      const { failures, images } = await client.batchGetImage({
        repositoryName: REPOSITORY,
        imageIds: [
          { imageTag: 'latest' },
          { imageDigest },
          { imageTag: 'none' },
          {},
          { imageTag: 'latest', imageDigest: digestOf('x') },
        ],
      });
      expect(images?.map((image) => image.imageManifest)).toEqual([imageManifest, imageManifest]);
      expect(failures?.map(({ failureCode }) => failureCode)).toEqual([
        'ImageNotFound',
        'MissingDigestAndTag',
        'ImageTagDoesNotMatchDigest',
      ]);
      await expectException(
        client.describeImages({ repositoryName: REPOSITORY, imageIds: [{ imageTag: 'none' }] }),
        { name: 'ImageNotFoundException' },
      );
      const { imageDetails } = await client.describeImages({ repositoryName: REPOSITORY });
      expect(imageDetails).toMatchObject([
        { imageDigest, imageTags: ['latest'], imageSizeInBytes: 64 },
      ]);
    }));

  test('the last tag takes the image with it, its layers linger', () =>
    connect(async (client) => {
      const imageManifest = await pushImage(client, 'only');
      const { config } = JSON.parse(imageManifest) as { config: { digest: string } };
      await client.batchDeleteImage({
        repositoryName: REPOSITORY,
        imageIds: [{ imageTag: 'only' }],
      });
      const { imageIds } = await client.listImages({ repositoryName: REPOSITORY });
      expect(imageIds).toEqual([]);
      const check = await client.batchCheckLayerAvailability({
        repositoryName: REPOSITORY,
        layerDigests: [config.digest],
      });
      expect(check.layers?.[0]?.layerAvailability).toBe('AVAILABLE');
      await expectException(
        client.getDownloadUrlForLayer({ repositoryName: REPOSITORY, layerDigest: config.digest }),
        { name: 'LayerInaccessibleException' },
      );
    }));

  test('foreign layers need not be there if they say where they are', () =>
    connect(async (client) => {
      const layer = await pushLayer(client);
      const imageOf = (mediaType: string, urls?: readonly string[]): string => {
        const foreign = { mediaType, digest: digestOf('elsewhere'), size: 5, urls };
        const image = JSON.parse(manifestOf(layer, [layer])) as { layers: object[] };
        return JSON.stringify({ ...image, layers: [foreign, ...image.layers] });
      };
      const put = (imageManifest: string): Promise<unknown> =>
        client.putImage({ repositoryName: REPOSITORY, imageManifest });
      const urls = ['https://example.com/layer'];
      const docker = 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip';
      await put(imageOf(docker, urls));
      for (const suffix of ['', '+gzip', '+zstd']) {
        await put(
          imageOf(`application/vnd.oci.image.layer.nondistributable.v1.tar${suffix}`, urls),
        );
      }
      const missing = { name: 'LayersNotFoundException' };
      await expectException(put(imageOf(docker)), missing);
      await expectException(put(imageOf(docker, [])), missing);
      const ordinary = 'application/vnd.oci.image.layer.v1.tar+gzip';
      await expectException(put(imageOf(ordinary, urls)), missing);
    }));

  test('referrers are found by their subject, which need not exist', () =>
    connect(async (client) => {
      const layer = await pushLayer(client);
      const subject = { mediaType: 'a/b', digest: digestOf('subject'), size: 7 };
      const image = JSON.parse(manifestOf(layer, [layer])) as object;
      const manifests = ['text/one', 'text/two'].map((artifactType) =>
        JSON.stringify({ ...image, artifactType, subject, annotations: { key: artifactType } }),
      );
      for (const imageManifest of manifests) {
        await client.putImage({ repositoryName: REPOSITORY, imageManifest });
      }
      const list = async (rest: object = {}): Promise<ListImageReferrersResponse> =>
        client.listImageReferrers({
          repositoryName: REPOSITORY,
          subjectId: { imageDigest: subject.digest },
          ...rest,
        });
      const first = await list({ maxResults: 1 });
      const second = await list({ maxResults: 1, nextToken: first.nextToken });
      const found = [...(first.referrers ?? []), ...(second.referrers ?? [])];
      expect(found.map(({ digest }) => digest)).toEqual(manifests.map(digestOf).toSorted());
      expect(second.nextToken).toBeUndefined();
      expect((await list({ filter: { artifactTypes: ['text/two'] } })).referrers).toEqual([
        {
          digest: digestOf(manifests[1] ?? ''),
          mediaType: 'application/vnd.oci.image.manifest.v1+json',
          artifactType: 'text/two',
          size: manifests[1]?.length,
          annotations: { key: 'text/two' },
          artifactStatus: 'ACTIVE',
        },
      ]);
      expect((await list({ filter: { artifactStatus: 'ARCHIVED' } })).referrers).toEqual([]);
      await expectException(list({ subjectId: { imageDigest: 'nonsense' } }), {
        name: 'InvalidParameterException',
      });
    }));
}

function describeRepositories(connect: Connect): void {
  test('a tag of an immutable repository stays, unless it is excluded', () =>
    connect(async (client) => {
      await client.deleteRepository({ repositoryName: REPOSITORY });
      await client.createRepository({
        repositoryName: REPOSITORY,
        imageTagMutability: 'IMMUTABLE_WITH_EXCLUSION',
        imageTagMutabilityExclusionFilters: [{ filterType: 'WILDCARD', filter: 'dev-*' }],
      });
      await pushImage(client, 'v1');
      await pushImage(client, 'dev-1');
      await pushImage(client, 'dev-1');
      await expectException(pushImage(client, 'v1'), {
        name: 'ImageTagAlreadyExistsException',
        message:
          `The image tag 'v1' already exists in the '${REPOSITORY}' repository and cannot be ` +
          'overwritten because the repository is immutable.',
      });
    }));

  test('repositories are created once, listed in pages and deleted when empty', () =>
    connect(async (client) => {
      await expectException(client.createRepository({ repositoryName: REPOSITORY }), {
        name: 'RepositoryAlreadyExistsException',
      });
      for (const repositoryName of ['a1', 'b2', 'c3']) {
        await client.createRepository({ repositoryName });
      }
      const first = await client.describeRepositories({ maxResults: 3 });
      expect(first.repositories?.map((item) => item.repositoryName)).toEqual(['a1', 'b2', 'c3']);
      const second = await client.describeRepositories({
        maxResults: 3,
        nextToken: first.nextToken,
      });
      expect(second.repositories?.map((item) => item.repositoryName)).toEqual([REPOSITORY]);
      expect(second.nextToken).toBeUndefined();
      await pushImage(client, 'x');
      await expectException(client.deleteRepository({ repositoryName: REPOSITORY }), {
        name: 'RepositoryNotEmptyException',
      });
      await client.deleteRepository({ repositoryName: REPOSITORY, force: true });
      await expectException(client.initiateLayerUpload({ repositoryName: REPOSITORY }), {
        name: 'RepositoryNotFoundException',
        message:
          `The repository with name '${REPOSITORY}' does not exist in the registry with id ` +
          `'${REGISTRY_ID}'`,
      });
    }));

  test('another registry has no repositories', () =>
    connect(async (client) => {
      await expectException(
        client.initiateLayerUpload({ repositoryName: REPOSITORY, registryId: '000000000000' }),
        { name: 'RepositoryNotFoundException' },
      );
    }));

  test('account settings keep their value, unknown ones are refused', () =>
    connect(async (client) => {
      const name = 'BLOB_MOUNTING';
      expect((await client.getAccountSetting({ name })).value).toBe('DISABLED');
      await client.putAccountSetting({ name, value: 'ENABLED' });
      expect((await client.getAccountSetting({ name })).value).toBe('ENABLED');
      await expectException(client.putAccountSetting({ name, value: 'MAYBE' }), {
        name: 'ValidationException',
      });
      await expectException(client.getAccountSetting({ name: 'NONE' }), {
        name: 'ValidationException',
      });
    }));

  test('an authorization token is for AWS and lasts twelve hours', () =>
    connect(async (client) => {
      const { authorizationData } = await client.getAuthorizationToken();
      const { authorizationToken = '', expiresAt } = authorizationData?.[0] ?? {};
      expect(Buffer.from(authorizationToken, 'base64').toString()).toMatch(/^AWS:\S+$/);
      const hours = ((expiresAt?.getTime() ?? 0) - Date.now()) / 3_600_000;
      expect(hours).toBeGreaterThan(11.9);
    }));
}
