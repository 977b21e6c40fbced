/** A source repository that has what a test says, and counts what is asked of it. */

import type { Digest } from '../../src/digest.ts';
import type { ImageSource } from '../../src/image/image-source.ts';
import type { SourceRepositories, SourceRepository } from '../../src/sync/source-repository.ts';

export interface FakeSourceOptions {
  /** Default: `registry.example/team/app`. */
  readonly name?: string;
  /** What tags point to. A function is asked anew each time. */
  readonly tags?: ReadonlyMap<string, Digest | (() => Digest | undefined)>;
  /** Instead of `tags`, where the list tells another story. */
  readonly listed?: readonly string[];
  readonly listFailure?: Error;
  /** By tag. */
  readonly resolveFailures?: ReadonlyMap<string, Error>;
  readonly blob?: SourceRepository['blob'];
}

export interface FakeSource extends SourceRepository {
  readonly counts: { lists: number; resolves: number };
}

export function fakeSource(options: FakeSourceOptions): FakeSource {
  const {
    name = 'registry.example/team/app',
    tags = new Map(),
    listed = [...tags.keys()],
  } = options;
  const [registry = '', ...path] = name.split('/');
  const counts = { lists: 0, resolves: 0 };
  return {
    name,
    registry,
    repository: path.join('/'),
    counts,
    tags: async function* pages(signal) {
      counts.lists += 1;
      for (let first = 0; first < listed.length; first += 1000) {
        await Promise.resolve();
        signal.throwIfAborted();
        yield listed.slice(first, first + 1000);
      }
      if (options.listFailure !== undefined) throw options.listFailure;
    },
    resolve: async (tag, signal) => {
      await Promise.resolve();
      signal.throwIfAborted();
      counts.resolves += 1;
      const failure = options.resolveFailures?.get(tag);
      if (failure !== undefined) throw failure;
      const digest = tags.get(tag);
      return typeof digest === 'function' ? digest() : digest;
    },
    image: (digest, tag) => new NamedImage(digest, `${name}:${tag}`),
    blob: options.blob ?? (() => undefined),
  };
}

/** Only fakes open it, and they look at the digest. */
export class NamedImage implements ImageSource {
  readonly digest: Digest;
  readonly label: string;

  constructor(digest: Digest, label: string) {
    this.digest = digest;
    this.label = label;
  }

  open(): Promise<never> {
    return Promise.reject(new Error('a fake image cannot be opened'));
  }
}

/** @param found by what a mapping's `from` names; an error in it is thrown where it stands */
export function fakeSources(
  found: Readonly<Record<string, readonly (SourceRepository | Error)[]>>,
): SourceRepositories {
  return {
    expand: async function* expand(from, signal) {
      for (const one of found[from] ?? []) {
        await Promise.resolve();
        signal.throwIfAborted();
        if (one instanceof Error) throw one;
        yield one;
      }
    },
    named: (source) => {
      const repositories = Object.values(found).flat();
      const named = repositories.find((one) => !(one instanceof Error) && one.name === source);
      if (named === undefined || named instanceof Error) throw new Error(`there is no ${source}`);
      return named;
    },
    usage: () => [],
    close: () => Promise.resolve(),
  };
}
