import { describe, expect, test } from 'vitest';
import type { Digest } from '../../src/digest.ts';
import { LongshoreError } from '../../src/errors.ts';
import { Destination } from '../../src/sync/destination.ts';
import { DigestCache } from '../../src/sync/digest-cache.ts';
import { EventQueue } from '../../src/sync/event-queue.ts';
import { type ImageJob, jobsOf } from '../../src/sync/image-job.ts';
import { SharedReads } from '../../src/sync/joint-read.ts';
import type { SyncEvent } from '../../src/sync/sync-events.ts';
import type { PlannedSyncTag } from '../../src/sync/sync-plan.ts';
import type { SyncReport } from '../../src/sync/sync-report.ts';
import { SyncRun } from '../../src/sync/sync-run.ts';
import { type FakeSource, fakeSource } from './fake-source.ts';
import { FakeTarget, type FakeTargetOptions } from './fake-target.ts';

const digestOf = (index: number): Digest => `sha256:${String(index).padStart(64, '0')}`;

const base = digestOf(1000);
const blobsOf = (image: Digest): readonly Digest[] => [base, image];
const imageOf = (repository: string): Digest => digestOf(repository.charCodeAt(0));

function gone(): LongshoreError {
  return new LongshoreError('E_IMAGE_NOT_FOUND', 'it is gone', {
    source: 'a',
    wanted: 'b',
    choices: [],
  });
}

interface RigOptions {
  readonly targets?: Readonly<Record<string, FakeTargetOptions>>;
  readonly imagesInFlight?: number;
}

class Rig {
  readonly targets: ReadonlyMap<string, FakeTarget>;
  readonly stop = new AbortController();
  readonly drain = new AbortController();
  readonly events: SyncEvent[] = [];
  readonly run: SyncRun;
  readonly #destinations: ReadonlyMap<string, Destination>;
  readonly #queue = new EventQueue<SyncEvent>();

  static async open(options: RigOptions = {}): Promise<Rig> {
    return new Rig(options, await DigestCache.open());
  }

  private constructor(
    { targets = { one: {} }, imagesInFlight = 4 }: RigOptions,
    digests: DigestCache,
  ) {
    this.targets = new Map(
      Object.entries(targets).map(([name, options]) => [name, new FakeTarget(name, options)]),
    );
    this.#destinations = new Map(
      [...this.targets].map(([name, target]) => [name, new Destination(target)]),
    );
    this.run = new SyncRun({
      destinations: this.#destinations,
      reads: new SharedReads(),
      digests,
      imagesInFlight,
      signal: this.stop.signal,
      drainSignal: this.drain.signal,
      events: this.#queue,
    });
  }

  get destinations(): readonly Destination[] {
    return [...this.#destinations.values()];
  }

  get one(): FakeTarget {
    const target = this.targets.get('one');
    if (target === undefined) throw new Error('there is no such target');
    return target;
  }

  /** Plans all tags of a source into all targets, and copies them. */
  async copy(
    tags: ReadonlyMap<string, Digest>,
    source: FakeSource = fakeSource({ tags }),
    repository = 'app',
  ): Promise<SyncReport> {
    const listening = this.#listen();
    const planned = [...tags].flatMap(([tag, sourceDigest]) =>
      [...this.#destinations].map(([target, destination]) => ({
        destination,
        planned: newTag({ source: source.name, tag, target, repository, sourceDigest }),
      })),
    );
    await this.run.tagsPlanned(planned.map((one) => one.planned));
    await this.#begin(jobsOf({ from: source.name }, source, planned));
    this.run.discovered();
    await this.run.finish();
    // Progress is only told to who has heard all before it.
    await new Promise((resolve) => setImmediate(resolve));
    this.run.tellProgress();
    this.#queue.end();
    await listening;
    const isInterrupted = this.drain.signal.aborted || this.stop.signal.aborted;
    return this.run.record.report(0, 1, isInterrupted, [], []);
  }

  /** One image of each repository into all targets, side by side. */
  async copyOneEach(repositories: readonly string[]): Promise<SyncReport> {
    for (const repository of repositories) {
      const source = fakeSource({ name: `registry.example/${repository}` });
      const sourceDigest = imageOf(repository);
      const planned = [...this.#destinations].map(([target, destination]) => ({
        destination,
        planned: newTag({ source: source.name, tag: 'v1', target, repository, sourceDigest }),
      }));
      await this.run.tagsPlanned(planned.map((one) => one.planned));
      await this.#begin(jobsOf({ from: source.name }, source, planned));
    }
    await this.run.finish();
    return this.run.record.report(0, 1, false, [], []);
  }

  async #begin(jobs: readonly ImageJob[]): Promise<void> {
    for (const job of jobs) await this.run.jobFound(job).catch(() => undefined);
  }

  async #listen(): Promise<void> {
    for await (const event of this.#queue.take()) this.events.push(event);
  }

  get lastProgress(): Extract<SyncEvent, { type: 'sync-progress' }>['progress'] | undefined {
    const event = this.events.findLast(({ type }) => type === 'sync-progress');
    return event?.type === 'sync-progress' ? event.progress : undefined;
  }
}

function newTag(
  name: Pick<PlannedSyncTag, 'source' | 'tag' | 'target' | 'repository' | 'sourceDigest'>,
): PlannedSyncTag {
  return {
    mapping: 0,
    ...name,
    action: 'copy',
    reason: 'new',
    detail: undefined,
    previousDigest: undefined,
    code: undefined,
  };
}

function images(count: number): Map<string, Digest> {
  return new Map(Array.from({ length: count }, (_, index) => [`v${index}`, digestOf(index)]));
}

/** `tag target status`, sorted. */
function endings({ tags }: SyncReport): readonly string[] {
  return tags
    .map(({ tag, target, status }) => `${tag} ${target} ${status}`)
    .toSorted((a, b) => a.localeCompare(b));
}

describe('a sync under way', () => {
  test('copies every image into every target, and tells of each tag once', async () => {
    const rig = await Rig.open({ targets: { one: {}, two: {} } });
    const report = await rig.copy(images(30));
    expect(report.outcome).toBe('done');
    expect(report.counts).toEqual({ copied: 60, skipped: 0, failed: 0, 'not-started': 0 });
    const told = rig.events.flatMap((event) =>
      event.type === 'tag-completed' ? [`${event.tag.tag} ${event.tag.target}`] : [],
    );
    expect(told).toHaveLength(60);
    expect(new Set(told).size).toBe(60);
    expect(rig.lastProgress).toMatchObject({
      imagesInFlight: 0,
      imagesDone: 60,
      imagesFailed: 0,
      imagesWaiting: 0,
      discovered: true,
    });
  });

  test('goes on when an image fails, also into the other target', async () => {
    const onPush = async (_request: unknown, image: Digest): Promise<void> => {
      if (image === digestOf(1)) throw new Error('this one fails');
      await Promise.resolve();
    };
    const rig = await Rig.open({ targets: { one: { onPush }, two: {} } });
    const report = await rig.copy(images(3));
    expect(endings(report)).toEqual([
      'v0 one copied',
      'v0 two copied',
      'v1 one failed',
      'v1 two copied',
      'v2 one copied',
      'v2 two copied',
    ]);
    expect(report.outcome).toBe('partial');
    expect(report.tags.find(({ status }) => status === 'failed')?.error).toEqual({
      code: 'E_UNEXPECTED',
      message: expect.stringContaining('this one fails'),
      retryable: false,
    });
    expect(rig.lastProgress).toMatchObject({ imagesDone: 5, imagesFailed: 1, imagesInFlight: 0 });
  });

  test('goes on when the source of an image cannot even be named', async () => {
    const rig = await Rig.open();
    const source = fakeSource({ tags: images(2) });
    const odd: FakeSource = {
      ...source,
      image: (digest, tag) => {
        if (tag === 'v0') throw new Error('no such image');
        return source.image(digest, tag);
      },
    };
    expect(endings(await rig.copy(images(2), odd))).toEqual(['v0 one failed', 'v1 one copied']);
  });

  test('has no more images at work than it may', async () => {
    let atWork = 0;
    let most = 0;
    const onPush = async (): Promise<void> => {
      atWork += 1;
      most = Math.max(most, atWork);
      await new Promise((resolve) => setImmediate(resolve));
      atWork -= 1;
    };
    const rig = await Rig.open({ targets: { one: { onPush } }, imagesInFlight: 3 });
    await rig.copy(images(20));
    expect(most).toBe(3);
  });

  test('sends a common layer once, and mounts it for all who waited, whatever the number of places', async () => {
    const rig = await Rig.open({ targets: { one: { blobsOf } }, imagesInFlight: 1 });
    const report = await rig.copyOneEach(['a', 'b', 'c', 'd', 'e']);
    expect(report.outcome).toBe('done');
    expect(rig.one.uploads.filter((upload) => upload.endsWith(base))).toHaveLength(1);
    expect(rig.one.mounts).toHaveLength(4);
    expect(rig.destinations[0]?.report()).toMatchObject({
      mountedBlobCount: 4,
      mountedBytes: 400,
      mountsRefusedCount: 0,
    });
  });

  test('sends what it may not mount', async () => {
    const mountFailure = new LongshoreError('E_ACCESS_DENIED', 'no login for you', {
      operation: 'GetAuthorizationToken',
    });
    const rig = await Rig.open({ targets: { one: { blobsOf, mountFailure } } });
    const report = await rig.copyOneEach(['a', 'b', 'c']);
    expect(report.outcome).toBe('done');
    expect(rig.one.uploads.filter((upload) => upload.endsWith(base))).toHaveLength(3);
    expect(rig.destinations[0]?.report()).toMatchObject({
      mountedBlobCount: 0,
      mountsRefusedCount: 2,
    });
  });

  test('brings common layers to all targets in the same order, so that each is sent by one image', async () => {
    // The first image is planned first in one target, and last in the other.
    const slowFor =
      (image: Digest) =>
      async (_request: unknown, own: Digest): Promise<void> => {
        const turns = own === image ? 5 : 1;
        for (let turn = 0; turn < turns; turn += 1) {
          await new Promise((resolve) => setImmediate(resolve));
        }
      };
    const rig = await Rig.open({
      targets: {
        one: { blobsOf, onPush: slowFor(imageOf('a')) },
        two: { blobsOf, onPush: slowFor(imageOf('b')) },
      },
    });
    await rig.copyOneEach(['a', 'b']);
    const senders = [...rig.targets.values()].map(({ uploads }) =>
      uploads.find((upload) => upload.endsWith(base)),
    );
    expect(senders).toHaveLength(2);
    expect(new Set(senders).size).toBe(1);
  });
});

describe('tags that move while it runs', () => {
  const tags = new Map([
    ['same', digestOf(1)],
    ['moved', digestOf(1)],
  ]);

  /** The image of both tags is gone. */
  const onPush = async (_request: unknown, image: Digest): Promise<void> => {
    await Promise.resolve();
    if (image === digestOf(1)) throw gone();
  };

  test('are looked at again, each by itself', async () => {
    const tried: Digest[] = [];
    const noted = async (request: unknown, image: Digest): Promise<void> => {
      tried.push(image);
      await onPush(request, image);
    };
    const rig = await Rig.open({ targets: { one: { onPush: noted } } });
    const source = fakeSource({
      tags: new Map([
        ['same', digestOf(1)],
        ['moved', digestOf(2)],
      ]),
    });
    const report = await rig.copy(tags, source);
    expect(endings(report)).toEqual(['moved one copied', 'same one failed']);
    expect(tried).toEqual([digestOf(1), digestOf(2)]);
    const moved = report.tags.find(({ tag }) => tag === 'moved');
    expect(moved).toMatchObject({ sourceDigest: digestOf(2), digest: digestOf(2) });
    expect(rig.one.pushes).toEqual([{ repository: 'app', image: digestOf(2), tags: ['moved'] }]);
    expect(rig.lastProgress).toMatchObject({ imagesDone: 0, imagesFailed: 1, imagesInFlight: 0 });
  });

  test('count as done when they are there in the end', async () => {
    const rig = await Rig.open({ targets: { one: { onPush } } });
    const source = fakeSource({ tags: new Map([['moved', digestOf(2)]]) });
    await rig.copy(new Map([['moved', digestOf(1)]]), source);
    expect(rig.lastProgress).toMatchObject({ imagesDone: 1, imagesFailed: 0, imagesInFlight: 0 });
  });

  test('are looked at again once, not for ever', async () => {
    let last = 1;
    const never = async (): Promise<void> => {
      await Promise.resolve();
      throw gone();
    };
    const rig = await Rig.open({ targets: { one: { onPush: never } } });
    const next = (): Digest => {
      last += 1;
      return digestOf(last);
    };
    const source = fakeSource({ tags: new Map([['moved', next]]) });
    const report = await rig.copy(new Map([['moved', digestOf(1)]]), source);
    expect(endings(report)).toEqual(['moved one failed']);
    expect(source.counts.resolves).toBe(1);
  });

  test('stay open when the sync is drained meanwhile, and what is done is reported as done', async () => {
    const rig = await Rig.open({ targets: { one: { onPush }, two: {} } });
    const source = fakeSource({
      tags: new Map([
        [
          'moved',
          () => {
            rig.drain.abort(new Error('enough'));
            return digestOf(2);
          },
        ],
      ]),
    });
    const report = await rig.copy(new Map([['moved', digestOf(1)]]), source);
    expect(endings(report)).toEqual(['moved one not-started', 'moved two copied']);
    expect(rig.lastProgress).toMatchObject({ imagesDone: 1, imagesFailed: 0, imagesInFlight: 0 });
  });
});

describe('an end before everything is done', () => {
  test('a drain finishes what runs, and leaves the rest not started', async () => {
    const rig = await Rig.open({
      imagesInFlight: 1,
      targets: {
        one: {
          onPush: async (_request, image) => {
            if (image === digestOf(1)) rig.drain.abort(new Error('enough'));
            await Promise.resolve();
          },
        },
      },
    });
    const report = await rig.copy(images(4));
    expect(endings(report)).toEqual([
      'v0 one copied',
      'v1 one copied',
      'v2 one not-started',
      'v3 one not-started',
    ]);
    expect(report.outcome).toBe('interrupted');
    expect(rig.lastProgress).toMatchObject({ imagesInFlight: 0, imagesDone: 2, imagesWaiting: 2 });
  });

  test('an abort leaves open what ran, and is no failure of it', async () => {
    const reason = new Error('at once');
    const rig = await Rig.open({
      targets: {
        one: {
          onPush: async (_request, _image, { signal }) => {
            await Promise.resolve();
            rig.stop.abort(reason);
            signal.throwIfAborted();
          },
        },
      },
    });
    const report = await rig.copy(images(3));
    expect(report.counts).toEqual({ copied: 0, skipped: 0, failed: 0, 'not-started': 3 });
    expect(rig.lastProgress).toMatchObject({ imagesInFlight: 0, imagesFailed: 0 });
  });
});
