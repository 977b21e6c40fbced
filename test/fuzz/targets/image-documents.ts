/** The JSON that images are made of: manifests, configs, and what lists them. */

import { isDeepStrictEqual } from 'node:util';
import { type ErrorCode, LongshoreError } from '../../../src/errors.ts';
import { JsonProblem, readJson } from '../../../src/image/json-document.ts';
import { readManifest } from '../../../src/image/manifest.ts';
import { platformOfConfig } from '../../../src/source/config-platform.ts';
import { chooseSavedImage } from '../../../src/source/docker-archive.ts';
import type { ImageFiles } from '../../../src/source/image-files.ts';
import { readLayoutIndex } from '../../../src/source/layout-index.ts';
import { sampleImage } from '../../source/image-fixture.ts';
import { type FuzzTarget, outcomeOf, pureTarget } from '../fuzz-target.ts';
import { withScratchFile } from './scratch-file.ts';

const DIGEST = `sha256:${'ab'.repeat(32)}`;
const WORDS = [
  '"mediaType":"application/vnd.oci.image.manifest.v1+json"',
  '"mediaType":"application/vnd.oci.image.index.v1+json"',
  '"mediaType":"application/vnd.docker.distribution.manifest.v2+json"',
  `"digest":"${DIGEST}"`,
  '"size":2,',
  '"schemaVersion":2,',
  '"schemaVersion":1,',
  '"layers":[],',
  '"manifests":[',
  '"MediaType":"x",',
  '"\\u006dediaType":"x",',
  '"annotations":{"__proto__":"x"},',
  '"platform":{"os":"linux","architecture":"arm64"},',
  '"subject":null,',
  '"urls":["http://x"],',
  '"rootfs":{"type":"layers","diff_ids":[]}',
  '[[[[[[[[',
  '\ufeff',
];
const signal = new AbortController().signal;
const image = sampleImage();
const platformChoice = { platform: 'linux/amd64' };

function isCode(...codes: readonly ErrorCode[]): (error: unknown) => boolean {
  return (error) => LongshoreError.is(error) && codes.includes(error.code);
}

const IMAGE_CODES = [
  'E_BLOB_MISSING',
  'E_IMAGE_AMBIGUOUS',
  'E_IMAGE_INVALID',
  'E_IMAGE_NOT_FOUND',
  'E_IMAGE_UNSUPPORTED',
] as const;

const jsonDocument: FuzzTarget = pureTarget({
  name: 'json-document',
  words: WORDS,
  run: (input) =>
    outcomeOf(
      () => {
        const value = readJson(input);
        // What is read is what everybody else reads.
        if (isDeepStrictEqual(value, JSON.parse(input.toString('utf8')))) return value;
        throw new Error('it reads something else than JSON.parse');
      },
      (error) => error instanceof JsonProblem,
    ),
});

const manifest: FuzzTarget = pureTarget({
  name: 'manifest',
  words: WORDS,
  seeds: [...image.content.values()],
  run: (input) =>
    outcomeOf(
      () => readManifest(input, { source: 'fuzz' }).kind,
      isCode('E_IMAGE_INVALID', 'E_IMAGE_UNSUPPORTED'),
    ),
});

const imageConfig: FuzzTarget = pureTarget({
  name: 'image-config',
  words: WORDS,
  seeds: [image.config],
  run: (input) =>
    outcomeOf(
      () => platformOfConfig(input),
      () => false,
    ),
});

const layoutIndex: FuzzTarget = {
  name: 'layout-index',
  words: ['"imageLayoutVersion":"1.0.0"', 'org.opencontainers.image.ref.name', ...WORDS],
  seeds: [],
  // The same bytes as both documents: each reader takes what it knows.
  open: () =>
    Promise.resolve(
      withScratchFile('index.json', (path, _folder, { length }) =>
        outcomeOf(
          () => readLayoutIndex(files(path, length, ['oci-layout', 'index.json']), signal),
          isCode(...IMAGE_CODES),
        ),
      ),
    ),
};

const savedManifest: FuzzTarget = {
  name: 'docker-manifest',
  words: ['"Config":', '"RepoTags":', '"Layers":', '[{', '}]', 'app:1.0', ...WORDS],
  seeds: [],
  open: () =>
    Promise.resolve(
      withScratchFile('manifest.json', async (path, _folder, { length }) => {
        const archive = files(path, length, ['manifest.json', 'config.json']);
        const choose = (choice: object) =>
          outcomeOf(() => chooseSavedImage(archive, choice, signal), isCode(...IMAGE_CODES));
        return `${await choose({})} ${await choose({ reference: 'app' })} ${await choose(platformChoice)}`;
      }),
    ),
};

/** All of these names are the one file. */
function files(path: string, sizeBytes: number, names: readonly string[]): ImageFiles {
  return {
    label: 'fuzz',
    find: (name) =>
      Promise.resolve(
        names.includes(name) ? { path, offsetBytes: 0, sizeBytes, label: name } : undefined,
      ),
  };
}

export const imageDocuments: readonly FuzzTarget[] = [
  jsonDocument,
  manifest,
  imageConfig,
  layoutIndex,
  savedManifest,
];
