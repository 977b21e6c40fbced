/** A `longshore layer` with a fake uploader. */

import type { UploaderOptions } from '../../src/index.ts';
import { type FakeContext, fakeContext } from './fake-context.ts';
import { type FakeEnding, type FakeUploader, fakeUploader } from './fake-uploader.ts';

export interface Setup {
  readonly context: FakeContext;
  readonly uploader: FakeUploader;
  readonly options: UploaderOptions[];
}

export function setUp(
  endings: Readonly<Record<string, FakeEnding>> = {},
  overrides: Partial<FakeContext> = {},
): Setup {
  const uploader = fakeUploader(endings);
  const options: UploaderOptions[] = [];
  const context = fakeContext({
    createUploader: (given) => {
      options.push(given);
      return Promise.resolve(uploader);
    },
    ...overrides,
  });
  return { context, uploader, options };
}

/** A whole command line around the words given. */
export function layer(...words: string[]): string[] {
  return ['layer', ...words, '-r', 'team/app'];
}
