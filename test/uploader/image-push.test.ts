import { BatchGetImageCommand, DeleteRepositoryCommand, ECRClient } from '@aws-sdk/client-ecr';
import { describe, expect, test } from 'vitest';
import type { Emulator } from '../../src/emulator/index.ts';
import type { ImageEvent, ImageRequest } from '../../src/index.ts';
import { MIB } from '../../src/limits.ts';
import {
  digestOf,
  makeDockerImage,
  makeImage,
  makeIndex,
  type MadeImage,
  memoryImage,
} from '../image/memory-image.ts';
import { callCounts, expectFailure, expectPartsInOrder } from './expectation.ts';
import { layerBytes } from './layer-bytes.ts';
import { REPOSITORY, startRig, type UploadRig } from './upload-rig.ts';

const AMD64 = { os: 'linux', architecture: 'amd64' };
const ARM64 = { os: 'linux', architecture: 'arm64', variant: 'v8' };

/** Pushes to the rig's repository. */
function push(rig: UploadRig, image: MadeImage, request: Partial<ImageRequest> = {}) {
  return rig.uploader.pushImage({ repository: REPOSITORY, image: memoryImage(image), ...request });
}

/** The manifest that a reference gives, by the emulator's in-process door. */
async function manifestOf(
  emulator: Emulator,
  imageId: { imageTag?: string; imageDigest?: string },
): Promise<string | undefined> {
  const { credentials, region, requestHandler } = emulator;
  const client = new ECRClient({ region, credentials, requestHandler });
  const command = new BatchGetImageCommand({ repositoryName: REPOSITORY, imageIds: [imageId] });
  const { images } = await client.send(command);
  return images?.[0]?.imageManifest;
}

function textOf(image: MadeImage): string {
  return new TextDecoder().decode(image.content.get(image.descriptor.digest));
}

describe('a first push', () => {
  test('stores every blob and the exact bytes of the manifest under each tag', async () => {
    await using rig = await startRig();
    const image = makeImage({ layers: [layerBytes(6 * MIB), layerBytes(3000, 2)] });
    const receipt = await push(rig, image, { tags: ['1.0', 'latest'] });
    expect(receipt).toMatchObject({
      repository: REPOSITORY,
      source: 'memory',
      digest: image.descriptor.digest,
      outcome: 'pushed',
      tags: [
        { tag: '1.0', outcome: 'put', previousDigest: undefined },
        { tag: 'latest', outcome: 'put', previousDigest: undefined },
      ],
      manifests: [{ digest: image.descriptor.digest, role: 'root', outcome: 'put' }],
    });
    expect(receipt.blobs.map(({ kind, outcome }) => `${kind} ${outcome}`)).toEqual([
      'layer uploaded',
      'layer uploaded',
      'config uploaded',
    ]);
    for (const tag of ['1.0', 'latest']) {
      expect(await manifestOf(rig.emulator, { imageTag: tag })).toBe(textOf(image));
    }
    expectPartsInOrder(rig.emulator);
    expect(receipt.calls).toEqual({
      BatchGetImage: 1,
      BatchCheckLayerAvailability: 1,
      InitiateLayerUpload: 3,
      UploadLayerPart: 4,
      CompleteLayerUpload: 3,
      PutImage: 2,
    });
    expect(receipt.callCount).toBe(14);
  });

  test('without a tag is found by its digest', async () => {
    await using rig = await startRig();
    const image = makeDockerImage([layerBytes(100)]);
    await push(rig, image);
    const { digest: imageDigest } = image.descriptor;
    expect(await manifestOf(rig.emulator, { imageDigest })).toBe(textOf(image));
  });

  test('puts children before their index, and shared layers travel once', async () => {
    await using rig = await startRig();
    const shared = layerBytes(5000);
    const children = [AMD64, ARM64].map((platform, seed) =>
      makeImage({ layers: [shared, layerBytes(2000, seed + 2)], platform }),
    );
    const nested = makeIndex([makeIndex(children), ...children]);
    const receipt = await push(rig, nested, { tags: ['multi'] });
    expect(receipt.manifests.map(({ role }) => role)).toEqual(['child', 'child', 'child', 'root']);
    expect(receipt.manifests.slice(0, 2).map(({ platform }) => platform)).toEqual([AMD64, ARM64]);
    expect(callCounts(rig.emulator)).toMatchObject({ InitiateLayerUpload: 5, PutImage: 4 });
    expect(await manifestOf(rig.emulator, { imageTag: 'multi' })).toBe(textOf(nested));
  });

  test('of many layers keeps to its budgets, and nothing warns of listeners', async () => {
    await using rig = await startRig({ uploader: { layersInFlight: 4 } });
    const layers = Array.from({ length: 40 }, (_, index) => layerBytes(100 + index, index + 1));
    let underWay = 0;
    let underWayMax = 0;
    const receipt = await rig.uploader.pushImage(
      { repository: REPOSITORY, image: memoryImage(makeImage({ layers })), tags: ['many'] },
      {
        onEvent: ({ type }) => {
          if (type === 'layer-started') underWay += 1;
          if (type === 'layer-completed') underWay -= 1;
          underWayMax = Math.max(underWayMax, underWay);
        },
      },
    );
    expect(receipt.blobs).toHaveLength(41);
    expect(underWayMax).toBe(4);
  });

  test('begins the largest layers first', async () => {
    await using rig = await startRig({ uploader: { layersInFlight: 1 } });
    const layers = [100, 9000, 500, 7000].map((size, seed) => layerBytes(size, seed + 1));
    const sizes: (number | undefined)[] = [];
    await rig.uploader.pushImage(
      { repository: REPOSITORY, image: memoryImage(makeImage({ layers })) },
      {
        onEvent: (event) => {
          if (event.type === 'layer-started') sizes.push(event.sizeBytes);
        },
      },
    );
    expect(sizes.slice(0, 3)).toEqual([9000, 7000, 500]);
  });

  test('creates the repository with its settings where that is wanted', async () => {
    await using rig = await startRig({
      uploader: {
        createRepository: {
          imageTagMutability: 'IMMUTABLE',
          imageScanningConfiguration: { scanOnPush: true },
        },
      },
    });
    const image = makeImage({ layers: [layerBytes(10)] });
    const receipt = await push(rig, image, { repository: 'new/one', tags: ['a'] });
    expect(receipt.calls['CreateRepository']).toBe(1);
    const other = makeImage({ layers: [layerBytes(10, 2)] });
    const moved = push(rig, other, { repository: 'new/one', tags: ['a'] });
    await expectFailure(moved, 'E_TAG_IMMUTABLE');
  });

  test('creates it as its own request says, whatever the uploader does', async () => {
    await using rig = await startRig({ uploader: { createRepository: true } });
    const [image, other] = [1, 2].map((seed) => makeImage({ layers: [layerBytes(10, seed)] }));
    if (image === undefined || other === undefined) throw new Error('two images');
    const request = { repository: 'new/one', tags: ['a'] };
    await expectFailure(
      push(rig, image, { ...request, createRepository: false }),
      'E_REPOSITORY_NOT_FOUND',
    );
    await push(rig, image, {
      ...request,
      createRepository: { imageTagMutability: 'IMMUTABLE' },
    });
    await expectFailure(push(rig, other, request), 'E_TAG_IMMUTABLE');
  });

  test('leaves foreign layers with their vendor', async () => {
    await using rig = await startRig();
    const image = makeImage({ layers: [layerBytes(10)], foreign: [layerBytes(4000, 3)] });
    const receipt = await push(rig, image, { tags: ['windows'] });
    expect(receipt.blobs[0]).toMatchObject({ sizeBytes: 4000, outcome: 'foreign', sentBytes: 0 });
  });
});

describe('another push', () => {
  test('of an image that is there takes one call', async () => {
    await using rig = await startRig();
    const image = makeIndex([makeImage({ layers: [layerBytes(2000)], platform: AMD64 })]);
    await push(rig, image, { tags: ['a', 'b'] });
    rig.emulator.journal.clear();
    const again = await push(rig, image, { tags: ['a', 'b'] });
    expect(again).toMatchObject({ outcome: 'already-present', sentBytes: 0, callCount: 1 });
    expect(again.skippedBytes).toBeGreaterThan(2000);
    expect(callCounts(rig.emulator)).toEqual({ BatchGetImage: 1 });
  });

  test('with one new layer sends that layer and the config', async () => {
    await using rig = await startRig();
    const layers = [1, 2, 3].map((seed) => layerBytes(4000, seed));
    await push(rig, makeImage({ layers }), { tags: ['a'] });
    rig.emulator.journal.clear();
    const fresh = makeImage({ layers: [...layers, layerBytes(50, 9)] });
    const receipt = await push(rig, fresh, { tags: ['a'] });
    expect(receipt.tags[0]?.previousDigest).toMatch(/^sha256:/);
    expect(callCounts(rig.emulator)).toEqual({
      BatchGetImage: 1,
      BatchCheckLayerAvailability: 1,
      // The repository could have been immutable.
      DescribeRepositories: 1,
      InitiateLayerUpload: 2,
      UploadLayerPart: 2,
      CompleteLayerUpload: 2,
      PutImage: 1,
    });
  });

  test('only adds the tag where the image is there', async () => {
    await using rig = await startRig();
    const image = makeImage({ layers: [layerBytes(20)] });
    await push(rig, image, { tags: ['a'] });
    rig.emulator.journal.clear();
    const receipt = await push(rig, image, { tags: ['a', 'c'] });
    expect(receipt.outcome).toBe('pushed');
    expect(receipt.tags.map(({ outcome }) => outcome)).toEqual(['already-present', 'put']);
    expect(callCounts(rig.emulator)).toEqual({ BatchGetImage: 1, PutImage: 1 });
  });

  test('side by side with one that shares layers sends them once', async () => {
    await using rig = await startRig();
    const shared = [1, 2, 3].map((seed) => layerBytes(30_000, seed));
    const images = [7, 8, 9].map((seed) => makeImage({ layers: [...shared, layerBytes(9, seed)] }));
    await Promise.all(images.map((image, index) => push(rig, image, { tags: [`t${index}`] })));
    const uploaded = rig.emulator.layers(REPOSITORY).length;
    expect(callCounts(rig.emulator)['CompleteLayerUpload']).toBe(uploaded);
  });
});

describe('what ECR would refuse is told before a byte travels', () => {
  const nothingSent = (rig: UploadRig) => {
    expect(callCounts(rig.emulator)).not.toHaveProperty('InitiateLayerUpload');
    expect(callCounts(rig.emulator)).not.toHaveProperty('PutImage');
  };

  test('an immutable tag, with both digests', async () => {
    await using rig = await startRig({
      uploader: { createRepository: { imageTagMutability: 'IMMUTABLE' } },
    });
    const [first, second] = [1, 2].map((seed) => makeImage({ layers: [layerBytes(9, seed)] }));
    if (first === undefined || second === undefined) throw new Error('two images');
    const request = { repository: 'immutable/one', tags: ['v1'] };
    await push(rig, first, request);
    expect(await push(rig, first, request)).toMatchObject({ outcome: 'already-present' });
    rig.emulator.journal.clear();
    const error = await expectFailure(push(rig, second, request), 'E_TAG_IMMUTABLE');
    expect(error.details).toEqual({
      repository: 'immutable/one',
      tag: 'v1',
      digest: second.descriptor.digest,
      existingDigest: first.descriptor.digest,
    });
    nothingSent(rig);
  });

  test('of many tags that move, in one question', async () => {
    await using rig = await startRig();
    const [first, second] = [1, 2].map((seed) => makeImage({ layers: [layerBytes(9, seed)] }));
    if (first === undefined || second === undefined) throw new Error('two images');
    const tags = Array.from({ length: 8 }, (_, index) => `t${index}`);
    await push(rig, first, { tags });
    const receipt = await push(rig, second, { tags });
    expect(receipt.calls).toMatchObject({ DescribeRepositories: 1, PutImage: 8 });
  });

  test('more than 500 layers', async () => {
    await using rig = await startRig();
    const layers = Array.from({ length: 501 }, (_, index) => Buffer.from(String(index)));
    const error = await expectFailure(push(rig, makeImage({ layers })), 'E_IMAGE_UNSUPPORTED');
    expect(error.message).toContain('501 layers, ECR takes at most 500');
    nothingSent(rig);
  });

  test('an empty blob', async () => {
    await using rig = await startRig();
    const image = makeImage({ layers: [layerBytes(9), Buffer.alloc(0)] });
    const error = await expectFailure(push(rig, image), 'E_IMAGE_UNSUPPORTED');
    expect(error.message).toContain('empty descriptor {}');
    nothingSent(rig);
  });

  test('an image without layers', async () => {
    await using rig = await startRig();
    await expectFailure(push(rig, makeImage({ layers: [] })), 'E_IMAGE_UNSUPPORTED');
    nothingSent(rig);
  });

  test('media types with parameters', async () => {
    await using rig = await startRig();
    const artifactType = 'application/vnd.dev.sigstore.bundle+json;version=0.2';
    const image = makeImage({ layers: [layerBytes(9)], artifactType });
    const error = await expectFailure(push(rig, image), 'E_IMAGE_UNSUPPORTED');
    expect(error.message).toContain('leave out what follows the semicolon');
    nothingSent(rig);
  });

  test('a manifest above 4 MiB, before it is read', async () => {
    await using rig = await startRig();
    const { content } = makeImage({ layers: [layerBytes(9)] });
    const descriptor = {
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      digest: digestOf(Buffer.from('never read')),
      sizeBytes: 5 * MIB,
    };
    await expectFailure(push(rig, { descriptor, content }), 'E_IMAGE_UNSUPPORTED');
    nothingSent(rig);
  });

  test('a blob that the source lacks', async () => {
    await using rig = await startRig();
    const image = makeImage({ layers: [layerBytes(900), layerBytes(9, 2)] });
    const content = new Map(image.content);
    content.delete(digestOf(layerBytes(9, 2)));
    await expectFailure(push(rig, { ...image, content }), 'E_BLOB_MISSING');
    nothingSent(rig);
  });

  test('a child of an index that the source lacks, with what to do', async () => {
    await using rig = await startRig();
    const [here, gone] = [AMD64, ARM64].map((platform) =>
      makeImage({ layers: [layerBytes(9)], platform }),
    );
    if (here === undefined || gone === undefined) throw new Error('two images');
    const index = makeIndex([here, gone]);
    const content = new Map(index.content);
    content.delete(gone.descriptor.digest);
    const sparse = { ...index, content };
    const error = await expectFailure(push(rig, sparse), 'E_BLOB_MISSING');
    expect(error.message).toContain('--platform');
    nothingSent(rig);
  });

  test('a manifest that is not what its digest says', async () => {
    await using rig = await startRig();
    const image = makeImage({ layers: [layerBytes(9)] });
    const content = new Map(image.content);
    content.set(image.descriptor.digest, Buffer.from(textOf(image).replace('linux', 'plan9')));
    const other = Buffer.from(textOf(image).replace('2,', '2 ,'));
    const descriptor = { ...image.descriptor, sizeBytes: other.length };
    content.set(descriptor.digest, other);
    await expectFailure(push(rig, { descriptor, content }), 'E_DIGEST_MISMATCH');
    nothingSent(rig);
  });

  test('a repository that is missing', async () => {
    await using rig = await startRig();
    const image = makeImage({ layers: [layerBytes(9)] });
    await expectFailure(push(rig, image, { repository: 'not/there' }), 'E_REPOSITORY_NOT_FOUND');
    nothingSent(rig);
  });

  test.each([
    [{ tags: ['not a tag'] }, 'tags'],
    [{ repository: 'UPPER' }, 'repository'],
    [{ platforms: ['linux'] }, 'platforms'],
    [{ compression: { kind: 'gzip', level: 10 } }, 'compression.level'],
    [{ tags: 'latest' as unknown as string[] }, 'tags'],
    [{ repository: undefined as unknown as string }, 'repository'],
    [{ tags: [], tag: 'misspelt' }, 'tag'],
    [{ createRepository: 'yes' as unknown as boolean }, 'createRepository'],
    [{ createRepository: [] as unknown as boolean }, 'createRepository'],
  ] as const)('a request that makes no sense: %j', async (request, option) => {
    await using rig = await startRig();
    const image = makeImage({ layers: [layerBytes(9)] });
    const error = await expectFailure(push(rig, image, request), 'E_OPTION_INVALID');
    expect(error.details.option).toBe(option);
    expect(rig.emulator.journal.entries()).toEqual([]);
  });
});

describe('a subset of platforms', () => {
  const [amd64, arm64] = [AMD64, ARM64].map((platform, seed) =>
    makeImage({ layers: [layerBytes(50, seed + 1)], platform }),
  ) as [MadeImage, MadeImage];
  const s390x = makeImage({
    layers: [layerBytes(50, 5)],
    platform: { os: 'linux', architecture: 's390x' },
  });

  test('of one is the image itself', async () => {
    await using rig = await startRig();
    const index = makeIndex([amd64, arm64]);
    const receipt = await push(rig, index, { platforms: ['linux/arm64'], tags: ['arm'] });
    expect(receipt.digest).toBe(arm64.descriptor.digest);
    expect(rig.emulator.layers(REPOSITORY)).toHaveLength(2);
  });

  test('of several is a list with only these, whose images keep their digests', async () => {
    await using rig = await startRig();
    const attestation = makeImage({ layers: [layerBytes(5, 8)] });
    const attested = {
      ...attestation,
      descriptor: {
        ...attestation.descriptor,
        platform: { os: 'unknown', architecture: 'unknown' },
        annotations: { 'vnd.docker.reference.digest': amd64.descriptor.digest },
      },
    };
    const index = makeIndex([amd64, arm64, s390x, attested]);
    const platforms = ['linux/s390x', 'linux/amd64'];
    const receipt = await push(rig, index, { platforms, tags: ['two'] });
    const text = await manifestOf(rig.emulator, { imageTag: 'two' });
    const { manifests } = JSON.parse(text ?? '') as { manifests: { digest: string }[] };
    expect(manifests.map(({ digest }) => digest)).toEqual([
      amd64.descriptor.digest,
      s390x.descriptor.digest,
      attestation.descriptor.digest,
    ]);
    expect(receipt.digest).toBe(digestOf(Buffer.from(text ?? '')));
  });

  test('that is not there is told with those that are', async () => {
    await using rig = await startRig();
    const index = makeIndex([amd64, arm64]);
    const error = await expectFailure(
      push(rig, index, { platforms: ['windows/amd64'] }),
      'E_IMAGE_NOT_FOUND',
    );
    expect(error.details.choices).toEqual(['linux/amd64', 'linux/arm64/v8']);
  });
});

describe('referrers', () => {
  const image = makeImage({ layers: [layerBytes(50)] });
  const signature = makeImage({
    layers: [layerBytes(5, 2)],
    subject: image.descriptor,
    artifactType: 'application/vnd.example.signature',
  });
  const countersignature = makeImage({
    layers: [layerBytes(5, 3)],
    subject: signature.descriptor,
    artifactType: 'application/vnd.example.signature',
  });
  const source = memoryImage(image, [countersignature, signature]);

  test('come after their subjects where they are asked for', async () => {
    await using rig = await startRig();
    const request = { repository: REPOSITORY, image: source, tags: ['signed'], referrers: true };
    const receipt = await rig.uploader.pushImage(request);
    expect(receipt.manifests.map(({ role, digest }) => [role, digest])).toEqual([
      ['root', image.descriptor.digest],
      ['referrer', signature.descriptor.digest],
      ['referrer', countersignature.descriptor.digest],
    ]);
    const again = await rig.uploader.pushImage(request);
    expect(again).toMatchObject({ outcome: 'already-present', callCount: 2 });
  });

  test('that say of themselves that they refer to something else are left out', async () => {
    await using rig = await startRig();
    const stranger = makeImage({ layers: [layerBytes(5, 9)] });
    const opened = memoryImage(image, [stranger]);
    const lying = {
      ...opened,
      open: async (...given: Parameters<typeof opened.open>) => ({
        ...(await opened.open(...given)),
        referrers: () => Promise.resolve([stranger.descriptor]),
      }),
    };
    const request = { repository: REPOSITORY, image: lying, referrers: true };
    const receipt = await rig.uploader.pushImage(request);
    expect(receipt.manifests).toHaveLength(1);
  });

  test('stay behind where they are not', async () => {
    await using rig = await startRig();
    const receipt = await rig.uploader.pushImage({ repository: REPOSITORY, image: source });
    expect(receipt.manifests).toHaveLength(1);
  });
});

describe('what may go wrong on the way', () => {
  const image = makeImage({ layers: [layerBytes(3000), layerBytes(200, 2)] });

  test('layers that PutImage does not see yet are waited for', async () => {
    await using rig = await startRig({ emulator: { putImageLagMs: 150 } });
    const events: ImageEvent[] = [];
    await rig.uploader.pushImage(
      { repository: REPOSITORY, image: memoryImage(image), tags: ['late'] },
      { onEvent: (event) => events.push(event) },
    );
    const waits = events.filter(({ type }) => type === 'layers-not-visible');
    expect(waits.length).toBeGreaterThan(0);
    expect(callCounts(rig.emulator)['InitiateLayerUpload']).toBe(3);
    expect(await manifestOf(rig.emulator, { imageTag: 'late' })).toBe(textOf(image));
  });

  test('throttling of PutImage is waited out', async () => {
    await using rig = await startRig({
      faults: [{ operation: 'PutImage', times: 2, action: { kind: 'throttle' } }],
    });
    const receipt = await push(rig, image, { tags: ['a'] });
    expect(receipt.calls['PutImage']).toBe(3);
  });

  test('a PutImage whose reply is lost has taken effect', async () => {
    await using rig = await startRig({
      faults: [{ operation: 'PutImage', action: { kind: 'lose-reply' } }],
    });
    const receipt = await push(rig, image, { tags: ['a'] });
    expect(receipt.outcome).toBe('pushed');
    expect(await manifestOf(rig.emulator, { imageTag: 'a' })).toBe(textOf(image));
  });

  test('an image that ECR keeps refusing is told with what ECR said', async () => {
    const exception = 'ImageDigestDoesNotMatchException';
    await using rig = await startRig({
      faults: [{ operation: 'PutImage', times: 9, action: { kind: 'fail', exception } }],
    });
    const error = await expectFailure(push(rig, image), 'E_IMAGE_REJECTED');
    expect(error.details).toMatchObject({ exception, digest: image.descriptor.digest });
  });

  test('a layer that fails ends the push, and what was completed is found by the next', async () => {
    const exception = 'KmsException';
    await using rig = await startRig({
      uploader: { layersInFlight: 1 },
      faults: [{ operation: 'InitiateLayerUpload', nth: 2, action: { kind: 'fail', exception } }],
    });
    await expectFailure(push(rig, image, { tags: ['a'] }), 'E_KMS');
    expect(callCounts(rig.emulator)).not.toHaveProperty('PutImage');
    const receipt = await push(rig, image, { tags: ['a'] });
    expect(receipt.sentBytes).toBeLessThan(3000);
  });

  test('an abort rejects with its reason and leaves nothing under way', async () => {
    await using rig = await startRig();
    const abort = new AbortController();
    const reason = new Error('enough');
    const pushed = rig.uploader.pushImage(
      { repository: REPOSITORY, image: memoryImage(image), tags: ['a'] },
      {
        signal: abort.signal,
        onEvent: (event) => {
          if (event.type === 'upload-initiated') abort.abort(reason);
        },
      },
    );
    await expect(pushed).rejects.toBe(reason);
    await rig.uploader.close();
    expect(callCounts(rig.emulator)).not.toHaveProperty('PutImage');
    expect(rig.uploader.snapshot().layers).toEqual([]);
  });
});

describe('what the caller does cannot harm a push', () => {
  const image = makeImage({ layers: [layerBytes(3000)] });

  test('events are frozen with all that is in them', async () => {
    await using rig = await startRig();
    const refusals: unknown[] = [];
    const receipt = await rig.uploader.pushImage(
      { repository: REPOSITORY, image: memoryImage(image), tags: ['a'] },
      {
        onEvent: (event) => {
          if (event.type !== 'image-planned') return;
          try {
            (event.plan.tags as unknown[]).length = 0;
          } catch (error) {
            refusals.push(error);
          }
        },
      },
    );
    expect(refusals).toHaveLength(1);
    expect(receipt.tags).toHaveLength(1);
  });

  test('a source that cannot be closed has been pushed all the same', async () => {
    await using rig = await startRig();
    const source = memoryImage(image);
    const stubborn = {
      ...source,
      open: async (...given: Parameters<typeof source.open>) => ({
        ...(await source.open(...given)),
        close: () => Promise.reject(new Error('stuck')),
      }),
    };
    const events: string[] = [];
    const pushed = await rig.uploader.pushImage(
      { repository: REPOSITORY, image: stubborn, tags: ['a'] },
      { onEvent: ({ type }) => events.push(type) },
    );
    expect(pushed.outcome).toBe('pushed');
    expect(events.at(-1)).toBe('image-completed');
  });

  test('what a source throws becomes an error that names the source', async () => {
    await using rig = await startRig();
    const source = { label: 'mine', open: () => Promise.reject(new Error('disk on fire')) };
    const events: ImageEvent[] = [];
    const pushing = rig.uploader.pushImage(
      { repository: REPOSITORY, image: source },
      { onEvent: (event) => events.push(event) },
    );
    const error = await expectFailure(pushing, 'E_SOURCE_UNREADABLE');
    expect(error.message).toContain('mine: disk on fire');
    expect(events.at(-1)).toMatchObject({ type: 'image-failed', code: 'E_SOURCE_UNREADABLE' });
  });

  test('a temporary directory that is not there is told as such', async () => {
    await using rig = await startRig({ uploader: { temporaryDirectory: '/nowhere/at/all' } });
    const source = {
      label: 'mine',
      open: async (context: Parameters<ReturnType<typeof memoryImage>['open']>[0]) => {
        await context.temporaryDirectory();
        throw new Error('not reached');
      },
    };
    const pushing = rig.uploader.pushImage({ repository: REPOSITORY, image: source });
    const error = await expectFailure(pushing, 'E_TEMPORARY_UNWRITABLE');
    expect(error.details.systemCode).toBe('ENOENT');
  });
});

describe('a repository that was emptied between two pushes', () => {
  test('gets everything again, once', async () => {
    await using rig = await startRig({ uploader: { createRepository: true } });
    const image = makeImage({ layers: [layerBytes(3000), layerBytes(40, 2)] });
    await push(rig, image, { tags: ['a'] });
    const { credentials, region, requestHandler } = rig.emulator;
    const client = new ECRClient({ region, credentials, requestHandler });
    const deletion = { repositoryName: REPOSITORY, force: true };
    await client.send(new DeleteRepositoryCommand(deletion));
    rig.emulator.journal.clear();
    const receipt = await push(rig, image, { tags: ['a'] });
    expect(receipt.calls).toMatchObject({ CompleteLayerUpload: 3, PutImage: 1 });
  });
});

describe('a push that is drained', () => {
  test('puts no further tag', async () => {
    await using rig = await startRig({
      emulator: { network: { serviceTimeMs: { PutImage: 20 } } },
    });
    const image = makeImage({ layers: [layerBytes(50)] });
    const drain = new AbortController();
    const reason = new Error('no more');
    const tags = Array.from({ length: 9 }, (_, index) => `t${index}`);
    const pushing = rig.uploader.pushImage(
      { repository: REPOSITORY, image: memoryImage(image), tags },
      {
        drainSignal: drain.signal,
        onEvent: ({ type }) => {
          if (type === 'manifest-put') drain.abort(reason);
        },
      },
    );
    await expect(pushing).rejects.toBe(reason);
    expect(callCounts(rig.emulator)['PutImage']).toBe(1);
  });

  test('finishes the layers that are being sent, begins nothing, and moves no tag', async () => {
    await using rig = await startRig({ uploader: { layersInFlight: 2 } });
    const layers = Array.from({ length: 8 }, (_, index) => layerBytes(5000 - index, index + 1));
    const image = makeImage({ layers });
    const drain = new AbortController();
    const reason = new Error('no more');
    const types: string[] = [];
    const pushing = rig.uploader.pushImage(
      { repository: REPOSITORY, image: memoryImage(image), tags: ['a'] },
      {
        drainSignal: drain.signal,
        onEvent: ({ type }) => {
          types.push(type);
          if (type === 'upload-initiated') drain.abort(reason);
        },
      },
    );
    await expect(pushing).rejects.toBe(reason);
    expect(types.filter((type) => type === 'layer-completed')).toHaveLength(2);
    expect(types.at(-1)).toBe('image-failed');
    expect(rig.emulator.uploads()).toEqual([]);
    expect(callCounts(rig.emulator)).not.toHaveProperty('PutImage');
    const receipt = await push(rig, image, { tags: ['a'] });
    expect(receipt.blobs.filter(({ outcome }) => outcome === 'already-present')).toHaveLength(2);
  });
});

describe('a plan', () => {
  test('tells what would travel and why, and sends nothing', async () => {
    await using rig = await startRig();
    const [first, second] = [1, 2].map((seed) => layerBytes(6 * MIB, seed)) as [Buffer, Buffer];
    await push(rig, makeImage({ layers: [first] }), { tags: ['a'] });
    rig.emulator.journal.clear();
    const image = makeImage({ layers: [first, second], foreign: [layerBytes(7, 3)] });
    const plan = await rig.uploader.planImage({
      repository: REPOSITORY,
      image: memoryImage(image),
      tags: ['a', 'b'],
    });
    expect(plan.blobs.map(({ kind, action, reason }) => `${kind} ${action} ${reason}`)).toEqual([
      'layer skip present',
      'layer upload missing',
      'config upload missing',
      'layer skip foreign',
    ]);
    expect(plan.tags.map(({ tag, action }) => `${tag} ${action}`)).toEqual(['a moved', 'b new']);
    expect(plan.presentBytes).toBe(6 * MIB);
    expect(plan.calls).toEqual({
      InitiateLayerUpload: 2,
      UploadLayerPart: 3,
      CompleteLayerUpload: 2,
      PutImage: 2,
    });
    expect(Object.keys(callCounts(rig.emulator)).toSorted()).toEqual([
      'BatchCheckLayerAvailability',
      'BatchGetImage',
      'DescribeRepositories',
    ]);
    const receipt = await push(rig, image, { tags: ['a', 'b'] });
    expect(receipt.calls).toMatchObject(plan.calls);
    expect(receipt.sentBytes).toBe(plan.uploadBytes);
  });
});

describe('events', () => {
  test('tell of the push from its start to its end', async () => {
    await using rig = await startRig();
    const types: string[] = [];
    await rig.uploader.pushImage(
      { repository: REPOSITORY, image: memoryImage(makeImage({ layers: [layerBytes(9)] })) },
      { onEvent: ({ type }) => types.push(type) },
    );
    expect(types.slice(0, 2)).toEqual(['image-started', 'image-planned']);
    expect(types.slice(-2)).toEqual(['manifest-put', 'image-completed']);
    expect(types.filter((type) => type === 'layer-completed')).toHaveLength(2);
  });

  test('tell of the push that failed', async () => {
    await using rig = await startRig();
    const events: ImageEvent[] = [];
    const pushed = rig.uploader.pushImage(
      { repository: REPOSITORY, image: memoryImage(makeImage({ layers: [] })) },
      { onEvent: (event) => events.push(event) },
    );
    await expectFailure(pushed, 'E_IMAGE_UNSUPPORTED');
    expect(events.at(-1)).toMatchObject({ type: 'image-failed', code: 'E_IMAGE_UNSUPPORTED' });
  });
});
