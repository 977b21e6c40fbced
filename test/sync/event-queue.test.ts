import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { EventQueue } from '../../src/sync/event-queue.ts';

async function isOver(work: Promise<unknown>): Promise<boolean> {
  return Promise.race([work.then(() => true), setImmediate(false)]);
}

async function take(events: AsyncGenerator<number, void>, count: number): Promise<number[]> {
  const taken: number[] = [];
  for (let index = 0; index < count; index += 1) {
    const { value } = await events.next();
    if (typeof value === 'number') taken.push(value);
  }
  return taken;
}

describe('events on their way to a caller', () => {
  test('come in order, also those that were told before anybody listened', async () => {
    const queue = new EventQueue<number>();
    void queue.push(1);
    void queue.push(2);
    const events = queue.take();
    expect(await take(events, 2)).toEqual([1, 2]);
    const next = events.next();
    expect(await isOver(next)).toBe(false);
    void queue.push(3);
    expect(await next).toEqual({ done: false, value: 3 });
  });

  test('make who tells wait once a thousand of them do, until half are taken', async () => {
    const queue = new EventQueue<number>();
    for (let index = 0; index < 999; index += 1) await queue.push(index);
    const waits = [queue.push(999), queue.push(1000)];
    expect(await isOver(Promise.race(waits))).toBe(false);
    const events = queue.take();
    await take(events, 501);
    expect(await isOver(Promise.race(waits))).toBe(false);
    await take(events, 1);
    expect(await isOver(Promise.all(waits))).toBe(true);
    expect(await take(events, 499)).toEqual(Array.from({ length: 499 }, (_, index) => index + 502));
  });

  test('are given out to the last when there is an end', async () => {
    const queue = new EventQueue<number>();
    void queue.push(1);
    queue.end();
    queue.end();
    await queue.push(2);
    const events = queue.take();
    expect(await take(events, 1)).toEqual([1]);
    expect(await events.next()).toEqual({ done: true, value: undefined });
  });

  test('end for who waits for one', async () => {
    const queue = new EventQueue<number>();
    const next = queue.take().next();
    await setImmediate();
    queue.end();
    expect(await next).toEqual({ done: true, value: undefined });
  });

  test('make nobody wait any more once there is an end', async () => {
    const queue = new EventQueue<number>();
    for (let index = 0; index < 999; index += 1) void queue.push(index);
    const wait = queue.push(999);
    expect(await isOver(wait)).toBe(false);
    queue.end();
    expect(await isOver(wait)).toBe(true);
  });

  test('that only count while they are fresh are left out if others wait', async () => {
    const queue = new EventQueue<number>();
    queue.offer(1);
    queue.offer(2);
    void queue.push(3);
    queue.offer(4);
    queue.end();
    const taken: number[] = [];
    for await (const event of queue.take()) taken.push(event);
    expect(taken).toEqual([1, 3]);
  });
});
