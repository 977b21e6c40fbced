import { describe, expect, test } from 'vitest';
import { Destination } from '../../src/sync/destination.ts';
import { FakeTarget } from './fake-target.ts';

describe('a repository that several images find missing', () => {
  test('is created once, and everybody waits for that', async () => {
    const destination = new Destination(new FakeTarget('one'));
    let finish: () => void = () => undefined;
    let count = 0;
    const create = (): Promise<void> => {
      count += 1;
      return new Promise((resolve) => {
        finish = resolve;
      });
    };
    const ended: string[] = [];
    const all = ['first', 'second'].map(async (name) => {
      await destination.createOnce('team/app', create);
      ended.push(name);
    });
    await Promise.resolve();
    expect(ended).toEqual([]);
    finish();
    await Promise.all(all);
    await destination.createOnce('team/app', create);
    expect(count).toBe(1);
  });

  test('is tried again by who waited if that failed, and each repository by itself', async () => {
    const destination = new Destination(new FakeTarget('one'));
    const first = destination.createOnce('a', () => Promise.reject(new Error('denied')));
    const second = destination.createOnce('a', () => Promise.resolve());
    await expect(first).rejects.toThrow('denied');
    await expect(second).resolves.toBeUndefined();
    const other = destination.createOnce('b', () => Promise.reject(new Error('denied too')));
    await expect(other).rejects.toThrow('denied too');
  });
});
