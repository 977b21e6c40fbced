import { getEventListeners } from 'node:events';
import pLimit from 'p-limit';
import { describe, expect, test } from 'vitest';
import { takePermit } from '../../src/layer/permit.ts';
import { SingleFlight } from '../../src/layer/single-flight.ts';

const never = new AbortController().signal;

function held<T>(): {
  promise: Promise<T>;
  resolve: (value: T) => void;
  reject: (error: Error) => void;
} {
  let resolve: (value: T) => void = () => undefined;
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}

describe('single flight', () => {
  test('lets calls of one key share the work, and of another do their own', async () => {
    const flights = new SingleFlight();
    const work = held<number>();
    let begun = 0;
    const begin = (): Promise<number> => {
      begun += 1;
      return work.promise;
    };
    const calls = ['a', 'a', 'a', 'b'].map((key) => flights.run(key, never, begin, (n) => -n));
    work.resolve(7);
    expect(await Promise.all(calls)).toEqual([7, -7, -7, 7]);
    expect(begun).toBe(2);
  });

  test('lets the next in line do the work when the first one fails', async () => {
    const flights = new SingleFlight();
    const work = held<number>();
    const first = flights.run(
      'a',
      never,
      () => work.promise,
      (n) => -n,
    );
    const second = flights.run(
      'a',
      never,
      () => Promise.resolve(2),
      (n) => -n,
    );
    const third = flights.run(
      'a',
      never,
      () => Promise.resolve(3),
      (n) => -n,
    );
    work.reject(new Error('the first one failed'));
    await expect(first).rejects.toThrow('the first one failed');
    expect(await second).toBe(2);
    expect(await third).toBe(-2);
  });

  test('lets a waiting call go when it is aborted, and the others wait on', async () => {
    const flights = new SingleFlight();
    const work = held<number>();
    const abort = new AbortController();
    const first = flights.run(
      'a',
      never,
      () => work.promise,
      (n) => -n,
    );
    const second = flights.run(
      'a',
      abort.signal,
      () => Promise.resolve(2),
      (n) => -n,
    );
    abort.abort(new Error('not any more'));
    await expect(second).rejects.toThrow('not any more');
    work.resolve(1);
    expect(await first).toBe(1);
  });
});

describe('permit', () => {
  test('passes from one holder to the next, and past those who gave up', async () => {
    const limit = pLimit(1);
    const abort = new AbortController();
    const giveBack = await takePermit(limit, never);
    const gaveUp = takePermit(limit, abort.signal);
    const next = takePermit(limit, never);
    abort.abort(new Error('gave up'));
    await expect(gaveUp).rejects.toThrow('gave up');
    giveBack();
    (await next)();
    expect(limit.pendingCount).toBe(0);
  });

  test('leaves nothing behind on the signal once it is taken', async () => {
    const { signal } = new AbortController();
    (await takePermit(pLimit(1), signal))();
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });
});
