import { describe, expect, test } from 'vitest';
import { ociLayoutImage } from '../../src/index.ts';
import type { Descriptor, OciLayoutImageOptions, Platform } from '../../src/index.ts';
import { makeImage, makeIndex, type MadeImage } from '../image/memory-image.ts';
import { blobName, encode, type LayoutEntry, layoutFiles, writeFiles } from './layout-folder.ts';
import { newContext, readImage, signal } from './source-context.ts';

const AMD64 = { os: 'linux', architecture: 'amd64' };
const ARM64 = { os: 'linux', architecture: 'arm64', variant: 'v8' };

/** An image whose config names its platform, and whose descriptor does if `isShown`. */
function imageFor(name: string, platform?: Platform, isShown = true): MadeImage {
  return makeImage({
    layers: [Buffer.from(name)],
    config: Buffer.from(JSON.stringify({ name, ...platform })),
    ...(platform !== undefined && isShown && { platform }),
  });
}

const one = imageFor('one', AMD64);
const two = imageFor('two', ARM64);
const index = makeIndex([one, two]);

async function rootOf(
  entries: readonly LayoutEntry[],
  options: OciLayoutImageOptions = {},
): Promise<Descriptor> {
  const folder = writeFiles(layoutFiles(...entries));
  const image = await ociLayoutImage(folder, { ...options, label: 'here' }).open(
    newContext(),
    signal,
  );
  await image.close();
  return image.root;
}

describe('of several images is taken', () => {
  const full = { 'io.containerd.image.name': 'docker.io/library/app:1.0' };

  test.each<[string, LayoutEntry[], OciLayoutImageOptions]>([
    ['the only one', [{ image: one }], {}],
    ['the one of that name', named('a', 'b'), { reference: 'a' }],
    ['the one of that digest', named('a', 'b'), { digest: one.descriptor.digest }],
    ['the one for that platform', named('a', 'b'), { platform: 'linux/amd64' }],
    ['one name of one image', [...named('a', 'b'), { image: one, name: 'c' }], { reference: 'c' }],
    [
      'one under two names',
      [
        { image: one, name: 'a' },
        { image: one, name: 'b' },
      ],
      {},
    ],
    ['the one with that tag', named('1.0', '2.0'), { reference: 'team/app:1.0' }],
    ['a full name', withNames(full), { reference: 'docker.io/library/app:1.0' }],
    ["Docker's short form", withNames(full), { reference: 'app:1.0' }],
    ['the tag of a full name', withNames(full), { reference: '1.0' }],
  ])('%s', async (_name, entries, options) => {
    expect((await rootOf(entries, options)).digest).toBe(one.descriptor.digest);
  });

  test('the index that lists the others', async () => {
    const entries = [{ image: one }, { image: index, name: 'multi' }, { image: two }];
    expect((await rootOf(entries)).digest).toBe(index.descriptor.digest);
  });

  test('an image of an index, by platform or by digest', async () => {
    const entries = [{ image: index }];
    const root = { digest: two.descriptor.digest, platform: ARM64 };
    expect(await rootOf(entries, { platform: 'linux/arm64' })).toMatchObject(root);
    expect(await rootOf(entries, { digest: two.descriptor.digest })).toMatchObject(root);
  });

  test('one whose platform only its config tells', async () => {
    const hidden = imageFor('hidden', ARM64, false);
    const entries = [{ image: one }, { image: hidden }];
    const root = { digest: hidden.descriptor.digest, platform: ARM64 };
    expect(await rootOf(entries, { platform: 'linux/arm64' })).toMatchObject(root);
  });
});

function named(first: string, second: string): LayoutEntry[] {
  return [
    { image: one, name: first },
    { image: two, name: second },
  ];
}

function withNames(annotations: Record<string, string>): LayoutEntry[] {
  return [{ image: one, annotations }, { image: two }];
}

describe('where the choice is not clear', () => {
  test.each<[string, LayoutEntry[], OciLayoutImageOptions, string, RegExp[]]>([
    ['several', named('a', 'b'), {}, 'E_IMAGE_AMBIGUOUS', [/^a .*linux\/amd64/, /^b .*arm64\/v8/]],
    ['several without names', withNames({}), {}, 'E_IMAGE_AMBIGUOUS', [/^sha256:/, /^sha256:/]],
    [
      'several whose platforms only their configs tell',
      [{ image: imageFor('hidden', ARM64, false) }, { image: one }],
      {},
      'E_IMAGE_AMBIGUOUS',
      [/arm64\/v8/, /amd64/],
    ],
    [
      'a tag that two have',
      [
        { image: one, name: 'x/a:1' },
        { image: two, name: 'x/b:1' },
      ],
      { reference: '1' },
      'E_IMAGE_AMBIGUOUS',
      [/^x\/a:1/, /^x\/b:1/],
    ],
    ['another name', named('a', 'b'), { reference: 'c' }, 'E_IMAGE_NOT_FOUND', [/^a/, /^b/]],
    [
      'the tag of another repository',
      [{ image: one, name: 'x/a:1' }],
      { reference: 'x/b:1' },
      'E_IMAGE_NOT_FOUND',
      [/^x\/a:1/],
    ],
    [
      'another digest',
      named('a', 'b'),
      { digest: imageFor('three').descriptor.digest },
      'E_IMAGE_NOT_FOUND',
      [/^a/, /^b/],
    ],
    [
      'a platform that none is for',
      named('a', 'b'),
      { platform: 'linux/s390x' },
      'E_IMAGE_NOT_FOUND',
      [/^a/, /^b/],
    ],
    [
      'a name and the digest of another',
      named('a', 'b'),
      { reference: 'a', digest: two.descriptor.digest },
      'E_IMAGE_NOT_FOUND',
      [/^a/, /^b/],
    ],
  ])('%s', async (_name, entries, options, code, lines) => {
    const failure = await rootOf(entries, options).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code });
    const { details, message } = failure as { details: { choices: string[] }; message: string };
    expect(details.choices).toHaveLength(lines.length);
    details.choices.forEach((line, at) => expect(line).toMatch(lines[at] ?? /never/));
    for (const line of details.choices) expect(message).toContain(line);
  });
});

describe('what refers to an image', () => {
  const subject = one.descriptor;
  const signature = makeImage({
    layers: [Buffer.from('signed')],
    subject,
    artifactType: 'application/vnd.example.signature',
  });
  const legacy = makeImage({ layers: [Buffer.from('cosigned')] });
  const tag = `sha256-${subject.digest.slice('sha256:'.length)}`;

  test('does not make the choice unclear', async () => {
    const entries = [
      { image: signature },
      { image: one, name: 'app' },
      { image: legacy, name: `${tag}.sig` },
      { image: makeIndex([signature]), name: tag },
    ];
    expect((await rootOf(entries)).digest).toBe(subject.digest);
  });

  test('goes with it on request, from the entries and from their lists', async () => {
    const sbom = makeImage({ layers: [Buffer.from('contents')], subject });
    const entries = [{ image: one }, { image: signature }, { image: makeIndex([sbom]), name: tag }];
    const source = ociLayoutImage(writeFiles(layoutFiles(...entries)), {
      digest: subject.digest,
    });
    const { graph } = await readImage(source, { referrers: true });
    const referrers = graph.nodes.filter(({ role }) => role === 'referrer');
    expect(referrers.map(({ manifest }) => manifest.digest).toSorted()).toEqual(
      [signature.descriptor.digest, sbom.descriptor.digest].toSorted(),
    );
    expect((await readImage(source)).graph.nodes).toHaveLength(1);
  });
});

describe('an index that lists what is not there', () => {
  const files = layoutFiles({ image: index });
  files.delete(blobName(two.descriptor.digest));

  test('still gives the images that are', async () => {
    const image = ociLayoutImage(writeFiles(files), { platform: 'linux/amd64' });
    expect((await readImage(image)).graph.root.manifest.digest).toBe(one.descriptor.digest);
  });

  test('is E_BLOB_MISSING as a whole', async () => {
    await expect(readImage(ociLayoutImage(writeFiles(files)))).rejects.toMatchObject({
      code: 'E_BLOB_MISSING',
      message: expect.stringContaining('--platform') as string,
    });
  });
});

test('what is no image in index.json is told of only where it is asked for', async () => {
  const files = layoutFiles({ image: one, name: 'app' });
  const { digest, sizeBytes: size, mediaType } = one.descriptor;
  const other = { mediaType: 'text/plain', digest: two.descriptor.digest, size: 5 };
  const manifests = [other, { mediaType, digest, size }];
  files.set('index.json', encode({ schemaVersion: 2, manifests }));
  const folder = writeFiles(files);
  const image = await ociLayoutImage(folder).open(newContext(), signal);
  expect(image.root.digest).toBe(digest);
});
