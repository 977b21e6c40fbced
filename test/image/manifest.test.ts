import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Digest, LongshoreError } from '../../src/index.ts';
import { JsonProblem, readJsonObject } from '../../src/image/json-document.ts';
import {
  digestOf,
  type Manifest,
  readDescriptors,
  readManifest,
} from '../../src/image/manifest.ts';
import { DOCKER_IMAGE, DOCKER_LIST, OCI_IMAGE, OCI_INDEX } from '../../src/image/media-type.ts';
import { MANIFEST_SIZE_MAX_BYTES } from '../../src/limits.ts';

type Json = Record<string, unknown>;

const source = 'here';
const digest: Digest = `sha256:${'a'.repeat(64)}`;
const descriptor = { mediaType: 'application/x', digest, size: 7 };
const image = {
  schemaVersion: 2,
  mediaType: OCI_IMAGE,
  config: descriptor,
  layers: [descriptor, descriptor],
};
const platform = { os: 'windows', architecture: 'arm64', variant: 'v8', 'os.version': '10.0' };
const index = {
  schemaVersion: 2,
  mediaType: OCI_INDEX,
  manifests: [{ ...descriptor, platform, annotations: { a: 'b' }, artifactType: 'x/y' }],
};

function encode(value: unknown): Uint8Array {
  return new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value));
}

function read(value: unknown, mediaType?: string): Manifest {
  return readManifest(encode(value), { source, ...(mediaType !== undefined && { mediaType }) });
}

describe('a manifest', () => {
  test('of an image has a config and layers, and its own bytes and digest', () => {
    const bytes = encode(image);
    const found = readManifest(bytes, { source });
    const expected = { mediaType: 'application/x', digest, sizeBytes: 7 };
    expect(found).toMatchObject({ kind: 'image', mediaType: OCI_IMAGE, manifests: [] });
    expect(found.bytes).toBe(bytes);
    expect(found.digest).toBe(digestOf(bytes));
    expect(found.config).toEqual(expected);
    expect(found.layers).toEqual([expected, expected]);
  });

  test('of an index has manifests with their platforms', () => {
    expect(read(index)).toMatchObject({ kind: 'index', config: undefined, layers: [] });
    expect(read(index).manifests).toEqual([
      {
        mediaType: 'application/x',
        digest,
        sizeBytes: 7,
        artifactType: 'x/y',
        annotations: { a: 'b' },
        platform: { os: 'windows', architecture: 'arm64', variant: 'v8', osVersion: '10.0' },
      },
    ]);
  });

  test('of an artifact has a type, a subject and annotations', () => {
    const more = { subject: descriptor, artifactType: 'a/b', annotations: { key: 'value' } };
    expect(read({ ...image, ...more })).toMatchObject({
      subject: { digest },
      artifactType: 'a/b',
      annotations: { key: 'value' },
    });
  });

  test('may leave its media type out; its descriptor has it, or its content tells', () => {
    const { mediaType: _image, ...plainImage } = image;
    const { mediaType: _index, ...plainIndex } = index;
    expect(read(plainImage).mediaType).toBe(OCI_IMAGE);
    expect(read(plainIndex).mediaType).toBe(OCI_INDEX);
    expect(read(plainImage, DOCKER_IMAGE).mediaType).toBe(DOCKER_IMAGE);
    expect(read(plainIndex, DOCKER_LIST).mediaType).toBe(DOCKER_LIST);
    expect(read({ ...image, mediaType: '' }).mediaType).toBe(OCI_IMAGE);
  });

  test('may be as Go writes what is empty', () => {
    const empty = { ...image, layers: null, subject: null, annotations: null, artifactType: '' };
    expect(read(empty)).toMatchObject({ layers: [], subject: undefined, annotations: {} });
    expect(read(empty).artifactType).toBeUndefined();
    const bare = { ...descriptor, platform: { os: '', architecture: '' }, urls: null };
    expect(read({ ...index, manifests: [bare] }).manifests).toEqual([
      { mediaType: 'application/x', digest, sizeBytes: 7 },
    ]);
  });

  test('may have members that are unknown, whatever they hold', () => {
    const more = { data: 'e30=', Labels: {}, future: { os: 1 } };
    expect(read({ ...image, ...more }).layers).toHaveLength(2);
  });
});

describe('what is no manifest is E_IMAGE_INVALID', () => {
  test.each<[string, unknown, RegExp]>([
    ['a list', [], /not a JSON object/],
    ['text', 'hello', /not JSON/],
    ['no schema version', { ...image, schemaVersion: undefined }, /schemaVersion is not 2/],
    ['a schema version of the future', { ...image, schemaVersion: 3 }, /schemaVersion is not 2/],
    ['a media type that is a number', { ...image, mediaType: 1 }, /mediaType is not a text/],
    ['no config', { ...image, config: undefined }, /config is not an object/],
    ['no layers', { ...image, layers: undefined }, /layers is not a list/],
    ['a layer that is text', { ...image, layers: ['x'] }, /layers\[0\] is not an object/],
    ['an index without list', { ...index, manifests: undefined }, /manifests is not a list/],
    ['images and layers', { ...image, manifests: [] }, /both layers and manifests/],
    ['annotations with a number', { ...image, annotations: { a: 1 } }, /annotations has a value/],
    ['annotations in a list', { ...image, annotations: ['a'] }, /annotations is not an object/],
    ['a subject that is text', { ...image, subject: digest }, /subject is not an object/],
    ['no size', withLayer({ size: undefined }), /layers\[0\]\.size is not a size/],
    ['a negative size', withLayer({ size: -1 }), /layers\[0\]\.size is not a size/],
    ['half a byte', withLayer({ size: 0.5 }), /size is not a size/],
    ['a size beyond all', withLayer({ size: 2 ** 53 }), /size is not a size/],
    ['a size in text', withLayer({ size: '7' }), /size is not a size/],
    ['no digest', withLayer({ digest: undefined }), /digest is not a sha256 digest/],
    ['a path as digest', withLayer({ digest: 'sha256:../../x' }), /not a sha256 digest/],
    ['an upper-case digest', withLayer({ digest: digest.toUpperCase() }), /not a sha256 digest/],
    ['sha512', withLayer({ digest: `sha512:${'a'.repeat(128)}` }), /not a sha256 digest/],
    ['no media type', withLayer({ mediaType: undefined }), /layers\[0\]\.mediaType is missing/],
    ['URLs that are numbers', withLayer({ urls: [1] }), /urls is not a list of texts/],
    ['a platform in text', withLayer({ platform: 'linux' }), /platform is not an object/],
    [
      'an os that is a number',
      withLayer({ platform: { os: 1, architecture: 'x' } }),
      /layers\[0\]\.platform\.os is not a text/,
    ],
    ['a key twice', '{"schemaVersion":2,"layers":[],"layers":[]}', /"layers" is there twice/],
    ['layers in two cases', { ...image, Layers: [] }, /some readers take for layers/],
    ['a size in two cases', withLayer({ SIZE: 1 }), /some readers take for size/],
    [
      'a letter that Go takes for an s',
      withLayer({ '\u017fize': 1 }),
      /some readers take for size/,
    ],
  ])('%s', (_name, value, message) => {
    expect(() => read(value)).toThrow(
      expect.objectContaining({
        code: 'E_IMAGE_INVALID',
        message: expect.stringMatching(message) as string,
      }),
    );
  });

  test('nor one that is another than its descriptor says', () => {
    expect(() => read(image, DOCKER_IMAGE)).toThrow(
      expect.objectContaining({ code: 'E_IMAGE_INVALID' }),
    );
  });
});

function withLayer(change: Json): Json {
  return { ...image, layers: [{ ...descriptor, ...change }] };
}

describe('what ECR does not take is E_IMAGE_UNSUPPORTED', () => {
  const type = 'application/vnd.oci.artifact.manifest.v1+json';
  test.each<[string, unknown, RegExp]>([
    ['schema 1', { schemaVersion: 1, fsLayers: [] }, /schema 1/],
    ['schema 1 in disguise', { ...image, fsLayers: [] }, /schema 1/],
    ['a manifest of another kind', { schemaVersion: 2, mediaType: type }, /of type application/],
    ['one that is too large', `{"a":"${'x'.repeat(MANIFEST_SIZE_MAX_BYTES)}"}`, /at most/],
  ])('%s', (_name, value, message) => {
    expect(() => read(value)).toThrow(
      expect.objectContaining({
        code: 'E_IMAGE_UNSUPPORTED',
        message: expect.stringMatching(message) as string,
      }),
    );
  });
});

describe('whatever is read', () => {
  function attempt(bytes: Uint8Array): Manifest | undefined {
    try {
      return readManifest(bytes, { source });
    } catch (error) {
      if (LongshoreError.is(error)) return undefined;
      throw error;
    }
  }

  /** Either a manifest that keeps its promises, or an error of ours. */
  function expectSound(bytes: Uint8Array): void {
    const found = attempt(bytes);
    if (found === undefined) return;
    expect(found.digest).toBe(digestOf(bytes));
    for (const { digest: one, sizeBytes, mediaType } of [...found.layers, ...found.manifests]) {
      expect(one).toMatch(/^sha256:[0-9a-f]{64}$/);
      expect(Number.isSafeInteger(sizeBytes) && sizeBytes >= 0).toBe(true);
      expect(mediaType).not.toBe('');
    }
  }

  const anyValue = fc.oneof(
    fc.jsonValue({ maxDepth: 3 }),
    fc.constantFrom(undefined, null, '', [], {}, 0, -1, 1e300, digest, OCI_INDEX, descriptor),
  );

  test('of any bytes or any JSON is a manifest or a LongshoreError', () => {
    const anyBytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      anyValue.map((value) => encode(JSON.stringify(value) ?? '')),
    );
    fc.assert(fc.property(anyBytes, expectSound), { numRuns: 500 });
  });

  test('of a manifest with changed members is a manifest or a LongshoreError', () => {
    const whole = fc.constantFrom<Json>(image, index);
    const changed = fc
      .tuple(whole, fc.nat(), anyValue, fc.boolean())
      .map(([document, at, value, isDeep]) => {
        const copy = structuredClone(document);
        const list = [copy['layers'], copy['manifests']].find(Array.isArray) as Json[];
        const target = isDeep ? (list[0] ?? copy) : copy;
        const names = Object.keys(target);
        target[names[at % names.length] ?? ''] = value;
        return copy;
      });
    fc.assert(
      fc.property(changed, (document) => expectSound(encode(document))),
      { numRuns: 500 },
    );
  });

  test('of a manifest with changed bytes is a manifest or a LongshoreError', () => {
    const bytes = fc
      .tuple(fc.constantFrom(image, index), fc.nat(), fc.nat(255), fc.boolean())
      .map(([document, at, byte, isCut]) => {
        const copy = encode(document);
        const place = at % copy.length;
        if (isCut) return copy.subarray(0, place);
        copy[place] = byte;
        return copy;
      });
    fc.assert(fc.property(bytes, expectSound), { numRuns: 500 });
  });
});

test('the descriptors of an index.json are read by the same rules', () => {
  const document = readJsonObject(encode({ manifests: [descriptor] }));
  expect(readDescriptors(document, 'manifests')).toEqual([
    { mediaType: 'application/x', digest, sizeBytes: 7 },
  ]);
  const wrong = readJsonObject(encode({ manifests: [{ ...descriptor, size: -1 }] }));
  expect(() => readDescriptors(wrong, 'manifests')).toThrow(JsonProblem);
});
