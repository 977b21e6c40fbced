import { describe, expect, test } from 'vitest';
import { AnswerCache } from '../../src/sync/answer-cache.ts';

const quiet = (): AbortSignal => new AbortController().signal;

describe('an answer that several want', () => {
  test('is asked for once, and kept', async () => {
    const cache = new AnswerCache<string>(100, (text) => text.length);
    let askCount = 0;
    const ask = (): Promise<string> => Promise.resolve(`answer ${(askCount += 1)}`);
    const both = [cache.get('a', ask, quiet()), cache.get('a', ask, quiet())];
    expect(await Promise.all(both)).toEqual(['answer 1', 'answer 1']);
    expect(await cache.get('a', ask, quiet())).toBe('answer 1');
    expect(await cache.get('b', ask, quiet())).toBe('answer 2');
  });

  test('is forgotten when there are too many, the one used longest ago first', async () => {
    const cache = new AnswerCache<string>(3, (text) => text.length);
    const asked: string[] = [];
    const get = (key: string): Promise<string> =>
      cache.get(
        key,
        () => {
          asked.push(key);
          return Promise.resolve(key);
        },
        quiet(),
      );
    for (const key of ['a', 'b', 'c', 'a', 'd', 'a', 'b']) await get(key);
    expect(asked).toEqual(['a', 'b', 'c', 'd', 'b']);
  });

  test('that is a failure is told to all who wait, and not kept', async () => {
    const cache = new AnswerCache<string>(100, (text) => text.length);
    const failure = new Error('no');
    const fail = (): Promise<string> => Promise.reject(failure);
    const both = [cache.get('a', fail, quiet()), cache.get('a', fail, quiet())];
    for (const result of await Promise.allSettled(both)) {
      expect(result).toEqual({ status: 'rejected', reason: failure });
    }
    expect(await cache.get('a', () => Promise.resolve('yes'), quiet())).toBe('yes');
  });

  test('goes on when the one that asked is aborted', async () => {
    const cache = new AnswerCache<string>(100, (text) => text.length);
    const abort = new AbortController();
    let answer: (text: string) => void = () => undefined;
    const ask = (): Promise<string> =>
      new Promise((resolve) => {
        answer = resolve;
      });
    const first = cache.get('a', ask, abort.signal).catch((error: unknown) => error);
    const second = cache.get('a', ask, quiet());
    abort.abort('enough');
    expect(await first).toBe('enough');
    answer('late');
    expect(await second).toBe('late');
  });
});
