/** A `longshore push` or `verify` with a fake uploader, and image sources that only remember their making. */

import type { ImageSource, UploaderOptions } from '../../src/index.ts';
import type { ImageConstructors } from '../../src/cli/image-constructors.ts';
import { type FakeContext, fakeContext } from './fake-context.ts';
import { type FakeImages, type FakeUploader, fakeUploader } from './fake-uploader.ts';

export interface ImageSetup {
  readonly context: FakeContext;
  readonly uploader: FakeUploader;
  readonly options: UploaderOptions[];
  /** The constructor's name and what it was given, once for each source that was made. */
  readonly sources: (readonly unknown[])[];
}

export function setUpImage(
  images: FakeImages = {},
  overrides: Partial<FakeContext> = {},
): ImageSetup {
  const uploader = fakeUploader({}, images);
  const options: UploaderOptions[] = [];
  const sources: (readonly unknown[])[] = [];
  const context = fakeContext({
    createUploader: (given) => {
      options.push(given);
      return Promise.resolve(uploader);
    },
    loadImages: () => Promise.resolve(constructorsInto(sources)),
    ...overrides,
  });
  return { context, uploader, options, sources };
}

/** What `ecrCredentials()` gives in these tests. */
export const ECR_CREDENTIALS: () => Promise<undefined> = () => Promise.resolve(undefined);

function constructorsInto(sources: (readonly unknown[])[]): ImageConstructors {
  const remember =
    (name: string) =>
    (...given: readonly unknown[]): ImageSource => {
      sources.push([name, ...given]);
      return { label: name, open: () => Promise.reject(new Error('a source of a test')) };
    };
  return {
    ociLayoutImage: remember('ociLayoutImage'),
    archiveImage: remember('archiveImage'),
    localImage: remember('localImage'),
    registryImage: remember('registryImage'),
    manifestImage: remember('manifestImage'),
    ecrCredentials: () => ECR_CREDENTIALS,
  };
}

/** Lets what is pending run until `condition` holds. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
