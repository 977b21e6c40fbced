import fc from 'fast-check';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { Digest } from '../../src/digest.ts';
import { BlobLedger, type BlobWay } from '../../src/sync/blob-ledger.ts';

const digestOf = (index: number): Digest => `sha256:${String(index).padStart(64, '0')}`;
const [base, app] = [digestOf(1), digestOf(2)];
const quiet = (): AbortSignal => new AbortController().signal;
const atOnce = (): (() => Promise<void>) => () => Promise.resolve();

/** What is known by now; `undefined` while it waits. */
async function stateOf<T>(work: Promise<T>): Promise<T | undefined> {
  return Promise.race([work, setImmediate(undefined)]);
}

function wayOf(
  ledger: BlobLedger,
  claim: ReturnType<BlobLedger['claim']>,
  digest: Digest,
): Promise<BlobWay> {
  return ledger.wayOf(claim, digest, atOnce, quiet());
}

describe('who brings a blob into a target', () => {
  test('the first image sends it, and one in another repository waits and mounts it', async () => {
    const ledger = new BlobLedger(true);
    const first = ledger.claim('a', [base]);
    const second = ledger.claim('b', [base, app]);
    expect([...second.leads]).toEqual([app]);
    expect(await wayOf(ledger, first, base)).toEqual({ kind: 'upload' });
    const waiting = wayOf(ledger, second, base);
    expect(await stateOf(waiting)).toBeUndefined();
    ledger.settle(first, [base]);
    expect(await waiting).toEqual({ kind: 'mount', from: 'a' });
  });

  test('an image of the same repository waits for the blob only, not for the whole image', async () => {
    const ledger = new BlobLedger(true);
    const first = ledger.claim('a', [base]);
    const waiting = wayOf(ledger, ledger.claim('a', [base]), base);
    expect(await stateOf(waiting)).toBeUndefined();
    ledger.brought(first, base);
    expect(await waiting).toEqual({ kind: 'upload' });
    expect(await wayOf(ledger, ledger.claim('a', [base]), base)).toEqual({ kind: 'upload' });
    const elsewhere = wayOf(ledger, ledger.claim('b', [base]), base);
    expect(await stateOf(elsewhere)).toBeUndefined();
    ledger.settle(first, [base]);
    expect(await elsewhere).toEqual({ kind: 'mount', from: 'a' });
  });

  test('an image of the same repository goes on when the first one has failed', async () => {
    const ledger = new BlobLedger(true);
    const first = ledger.claim('a', [base]);
    const waiting = wayOf(ledger, ledger.claim('a', [base]), base);
    ledger.settle(first, undefined);
    expect(await waiting).toEqual({ kind: 'upload' });
  });

  test('one that waited takes the lead when the first image has failed', async () => {
    const ledger = new BlobLedger(true);
    const first = ledger.claim('a', [base]);
    const [second, third] = [ledger.claim('b', [base]), ledger.claim('c', [base])];
    const ways = [wayOf(ledger, second, base), wayOf(ledger, third, base)] as const;
    ledger.settle(first, undefined);
    expect(await ways[0]).toEqual({ kind: 'upload' });
    expect(await stateOf(ways[1])).toBeUndefined();
    ledger.settle(second, [base]);
    expect(await ways[1]).toEqual({ kind: 'mount', from: 'b' });
  });

  test('what is known to be somewhere is mounted from there, but not into itself', async () => {
    const ledger = new BlobLedger(true);
    ledger.addHome('a', [base]);
    ledger.addHome('b', [base]);
    expect(ledger.homeOf(base)).toBe('a');
    const claim = ledger.claim('c', [base]);
    expect([...claim.leads]).toEqual([]);
    expect(await wayOf(ledger, claim, base)).toEqual({ kind: 'mount', from: 'a' });
    expect(await wayOf(ledger, ledger.claim('a', [base]), base)).toEqual({ kind: 'upload' });
  });

  test('a refused blob is sent, and counted once for all who asked together', async () => {
    const ledger = new BlobLedger(true);
    ledger.addHome('a', [base, app]);
    expect(ledger.refuse('a', 'b', base)).toBe(true);
    expect(ledger.refuse('a', 'b', base)).toBe(false);
    expect(ledger.refuse('a', 'b', base)).toBe(false);
    expect(ledger.refuse('a', 'b', base)).toBe(false);
    const claim = ledger.claim('b', [base, app]);
    expect(await wayOf(ledger, claim, base)).toEqual({ kind: 'upload' });
    expect(await wayOf(ledger, claim, app)).toEqual({ kind: 'mount', from: 'a' });
    expect(await wayOf(ledger, ledger.claim('c', [base]), base)).toEqual({
      kind: 'mount',
      from: 'a',
    });
  });

  test('after three refusals in a row between two repositories no other blob is tried', async () => {
    const ledger = new BlobLedger(true);
    ledger.addHome('a', [1, 2, 3, 4, 5, 6].map(digestOf));
    const mount = (index: number, outcome: 'mounted' | 'refused'): Promise<unknown> =>
      ledger.mountOnce('a', 'b', digestOf(index), () => Promise.resolve(outcome));
    for (const index of [1, 2]) ledger.refuse('a', 'b', digestOf(index));
    await mount(3, 'mounted');
    for (const index of [4, 5]) ledger.refuse('a', 'b', digestOf(index));
    const claim = ledger.claim('b', [digestOf(6)]);
    expect(await wayOf(ledger, claim, digestOf(6))).toEqual({ kind: 'mount', from: 'a' });
    ledger.refuse('a', 'b', digestOf(6));
    const later = ledger.claim('b', [digestOf(3)]);
    expect(await wayOf(ledger, later, digestOf(3))).toEqual({ kind: 'upload' });
  });

  test('after thirty refusals in a row between any repositories no mount is tried', async () => {
    const ledger = new BlobLedger(true);
    ledger.addHome('a', [base]);
    const way = (): Promise<BlobWay> => wayOf(ledger, ledger.claim('new', [base]), base);
    for (let index = 0; index < 29; index += 1) ledger.refuse('a', `r${index}`, base);
    expect(await way()).toEqual({ kind: 'mount', from: 'a' });
    ledger.refuse('a', 'r29', base);
    expect(await way()).toEqual({ kind: 'upload' });
  });

  test('a blob is mounted once into a repository, and again if that had failed', async () => {
    const ledger = new BlobLedger(true);
    const failed = ledger.mountOnce('a', 'b', base, () => Promise.reject(new Error('no')));
    let mountCount = 0;
    const mount = (): Promise<'mounted'> => {
      mountCount += 1;
      return Promise.resolve('mounted');
    };
    const [second, third] = [1, 2].map(() => ledger.mountOnce('a', 'b', base, mount));
    await expect(failed).rejects.toThrow('no');
    expect(new Set([await second, await third])).toEqual(new Set(['mounted', 'present']));
    expect(await ledger.mountOnce('a', 'b', base, mount)).toBe('present');
    expect(mountCount).toBe(1);
  });

  test('without mounts every repository gets its own, and nobody waits for another one', async () => {
    const ledger = new BlobLedger(false);
    ledger.addHome('z', [base]);
    const claims = ['a', 'b'].map((repository) => ledger.claim(repository, [base, app]));
    for (const claim of claims) {
      expect([...claim.leads]).toEqual([base, app]);
      expect(await wayOf(ledger, claim, base)).toEqual({ kind: 'upload' });
    }
  });

  test('a wait ends with its signal, also the wait for a place after it', async () => {
    const ledger = new BlobLedger(true);
    const first = ledger.claim('a', [base]);
    const end = new AbortController();
    const reason = new Error('enough');
    const never = (): (() => Promise<void>) => () => new Promise(() => undefined);
    const waits = ['b', 'c'].map((repository) =>
      ledger.wayOf(ledger.claim(repository, [base]), base, never, end.signal),
    );
    ledger.settle(first, [base]);
    await setImmediate();
    end.abort(reason);
    const ended = await Promise.allSettled(waits);
    expect(ended).toEqual(waits.map(() => ({ status: 'rejected', reason })));
  });
});

interface Push {
  readonly repository: string;
  readonly blobs: readonly number[];
  /** Whether it breaks off at its first upload, or in the end. */
  readonly failure: 'at once' | 'in the end' | undefined;
}

const anyPush: fc.Arbitrary<Push> = fc.record({
  repository: fc.constantFrom('a', 'b', 'c', 'd'),
  blobs: fc.uniqueArray(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 6 }),
  failure: fc.oneof(
    { weight: 4, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.constantFrom('at once' as const, 'in the end' as const) },
  ),
});

/** One target as the engine sees it: a blob that is on its way into a repository is sent once. */
class Model {
  readonly uploads = new Map<Digest, number>();
  readonly failedBlobs = new Set<Digest>();
  readonly refusedPairs: readonly string[];
  readonly problems: string[] = [];
  refusalCount = 0;
  readonly #ledger: BlobLedger;
  readonly #scheduler: fc.Scheduler;
  readonly #present = new Set<string>();
  readonly #flights = new Map<string, Promise<void>>();

  constructor(ledger: BlobLedger, scheduler: fc.Scheduler, refusedPairs: readonly string[]) {
    this.#ledger = ledger;
    this.#scheduler = scheduler;
    this.refusedPairs = refusedPairs;
  }

  async push({ repository, blobs, failure }: Push): Promise<void> {
    await this.#scheduler.schedule(Promise.resolve(), 'planned');
    const stop = new AbortController();
    const missing = blobs.map(digestOf).filter((blob) => !this.#has(repository, blob));
    const claim = this.#ledger.claim(repository, missing);
    let named: Digest[] | undefined;
    try {
      const work = missing.map(async (blob) => {
        try {
          await this.#obtain(claim, blob, failure === 'at once', stop.signal);
        } catch (error) {
          stop.abort(error);
          throw error;
        }
      });
      const results = await Promise.allSettled(work);
      if (failure === 'in the end' || results.some(({ status }) => status === 'rejected')) {
        for (const blob of missing) this.failedBlobs.add(blob);
      } else {
        named = blobs.map(digestOf);
      }
    } finally {
      this.#ledger.settle(claim, named);
    }
  }

  async #obtain(
    claim: ReturnType<BlobLedger['claim']>,
    blob: Digest,
    mustFail: boolean,
    signal: AbortSignal,
  ): Promise<void> {
    const { repository } = claim;
    for (;;) {
      const way = await this.#ledger.wayOf(claim, blob, atOnce, signal);
      if (way.kind === 'upload') break;
      const { from } = way;
      const outcome = await this.#ledger.mountOnce(from, repository, blob, async () => {
        await this.#scheduler.schedule(Promise.resolve(), 'mounted');
        if (!this.#has(from, blob)) this.problems.push(`${from} has no ${blob}`);
        return this.refusedPairs.includes(from + repository) ? 'refused' : 'mounted';
      });
      if (outcome !== 'refused') {
        this.#present.add(repository + blob);
        return;
      }
      this.#ledger.refuse(from, repository, blob);
      this.refusalCount += 1;
    }
    const key = repository + blob;
    while (!this.#present.has(key)) {
      const other = this.#flights.get(key);
      if (other !== undefined) {
        await other.catch(() => undefined);
        continue;
      }
      const flight = this.#send(blob, mustFail, signal);
      this.#flights.set(key, flight);
      try {
        await flight;
        this.#present.add(key);
      } finally {
        this.#flights.delete(key);
      }
    }
    this.#ledger.brought(claim, blob);
  }

  async #send(blob: Digest, mustFail: boolean, signal: AbortSignal): Promise<void> {
    await this.#scheduler.schedule(Promise.resolve(), 'sent');
    signal.throwIfAborted();
    if (mustFail) throw new Error('it failed');
    this.uploads.set(blob, (this.uploads.get(blob) ?? 0) + 1);
  }

  #has(repository: string, blob: Digest): boolean {
    return this.#present.has(repository + blob);
  }
}

describe('many images of several repositories', () => {
  test('end always, and each blob is sent once unless its image failed or a mount was refused', async () => {
    const refusedPairs = fc.oneof(
      { weight: 2, arbitrary: fc.constant<string[]>([]) },
      { weight: 1, arbitrary: fc.subarray(['ab', 'ac', 'ba', 'bc', 'ca', 'db']) },
    );
    const pushes = fc.array(anyPush, { minLength: 1, maxLength: 10 });
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), pushes, refusedPairs, async (scheduler, all, refused) => {
        const model = new Model(new BlobLedger(true), scheduler, refused);
        let openCount = all.length;
        for (const push of all) {
          void model.push(push).finally(() => {
            openCount -= 1;
          });
        }
        do {
          await scheduler.waitAll();
          await setImmediate();
        } while (scheduler.count() > 0);
        expect({ openCount, problems: model.problems }).toEqual({ openCount: 0, problems: [] });
        for (const blob of new Set(all.flatMap(({ blobs }) => blobs.map(digestOf)))) {
          if (model.failedBlobs.has(blob) || model.refusalCount > 0) continue;
          expect(model.uploads.get(blob)).toBe(1);
        }
      }),
      { numRuns: 200 },
    );
  });
});
