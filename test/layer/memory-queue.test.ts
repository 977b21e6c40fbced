import { describe, expect, test } from 'vitest';
import { IdleBalance } from '../../src/layer/idle-balance.ts';
import { MemoryQueue, type MemoryWaiter } from '../../src/layer/memory-queue.ts';

function wish(remainingBytes: number): MemoryWaiter {
  return { sizeBytes: 10, remainingBytes, grant: () => undefined };
}

/** Serves whoever is next. @returns who that was */
function serveNext(queue: MemoryQueue): MemoryWaiter | undefined {
  const { next } = queue;
  if (next !== undefined) queue.serve(next);
  return next;
}

describe('the queue for part memory', () => {
  test('has nobody in it at first, and whoever comes until it is served', () => {
    const queue = new MemoryQueue();
    expect([queue.isEmpty, queue.next]).toEqual([true, undefined]);
    const waiter = wish(1);
    queue.add(waiter);
    expect([queue.isEmpty, queue.next]).toEqual([false, waiter]);
    queue.serve(waiter);
    expect([queue.isEmpty, queue.next]).toEqual([true, undefined]);
  });

  test('lets the largest remaining layer go first, and the first comer among equals', () => {
    const queue = new MemoryQueue();
    const waiters = [wish(3), wish(7), wish(5), wish(7)];
    for (const waiter of waiters) queue.add(waiter);
    const served = waiters.map(() => serveNext(queue)?.remainingBytes);
    expect(served).toEqual([7, 7, 5, 3]);
    const [first, second] = [wish(7), wish(7)];
    queue.add(first);
    queue.add(second);
    expect(queue.next).toBe(first);
  });

  test('lets whoever gives up go once, and nobody else with it', () => {
    const queue = new MemoryQueue();
    const [first, second, third] = [wish(1), wish(2), wish(3)];
    for (const waiter of [first, second, third]) queue.add(waiter);
    expect(queue.giveUp(second)).toBe(true);
    expect(queue.giveUp(second)).toBe(false);
    expect(serveNext(queue)).toBe(third);
    expect(queue.giveUp(third)).toBe(false);
    // Also of the first one in the queue.
    expect(queue.giveUp(first)).toBe(true);
    expect(queue.isEmpty).toBe(true);
  });

  test('lets a small one go after 16 who came later, and not a grant earlier', () => {
    const queue = new MemoryQueue();
    const small = wish(1);
    queue.add(small);
    for (let grant = 0; grant < 16; grant += 1) {
      queue.add(wish(100));
      expect(serveNext(queue)).not.toBe(small);
    }
    queue.add(wish(100));
    expect(serveNext(queue)).toBe(small);
  });

  test('counts nobody as passed over by those who came before', () => {
    const queue = new MemoryQueue();
    for (let grant = 0; grant < 40; grant += 1) queue.add(wish(100));
    const late = wish(1);
    queue.add(late);
    for (let grant = 0; grant < 40; grant += 1) expect(serveNext(queue)).not.toBe(late);
    // It has been passed over by none yet, and may be by sixteen.
    for (let grant = 0; grant < 16; grant += 1) {
      queue.add(wish(1_000));
      expect(serveNext(queue)).not.toBe(late);
    }
    queue.add(wish(1_000));
    expect(serveNext(queue)).toBe(late);
  });

  test('lets the largest layer go three times between two that have a claim', () => {
    const queue = new MemoryQueue();
    const small = [1, 2, 3].map((remainingBytes) => wish(remainingBytes));
    for (const waiter of small) queue.add(waiter);
    const order: string[] = [];
    for (let grant = 0; grant < 27; grant += 1) {
      queue.add(wish(100));
      const next = serveNext(queue);
      order.push(next !== undefined && small.includes(next) ? 'small' : 'large');
    }
    const large = (count: number): string[] => Array.from({ length: count }, () => 'large');
    expect(order).toEqual([
      ...large(16),
      'small',
      ...large(3),
      'small',
      ...large(3),
      'small',
      ...large(2),
    ]);
  });
});

describe('the balance of idle time', () => {
  test('is due when somebody was idle for that much longer than not', () => {
    const balance = new IdleBalance(50);
    balance.turn(true, 1_000);
    expect(balance.missingMs).toBe(50);
    balance.turn(true, 1_030);
    expect(balance.missingMs).toBe(20);
    balance.turn(false, 1_040);
    expect(balance.missingMs).toBe(10);
    balance.turn(true, 1_060);
    expect(balance.missingMs).toBe(30);
    balance.turn(false, 1_095);
    expect(balance.missingMs).toBe(-5);
  });

  test('forgets what was busy beyond the idle time before', () => {
    const balance = new IdleBalance(50);
    balance.turn(true, 0);
    balance.turn(false, 10);
    balance.turn(true, 10_000);
    balance.turn(true, 10_050);
    expect(balance.missingMs).toBe(0);
  });

  test('begins again once idle time has had its effect', () => {
    const balance = new IdleBalance(50);
    balance.turn(true, 0);
    balance.turn(true, 60);
    balance.clear();
    expect(balance.missingMs).toBe(50);
    balance.turn(false, 70);
    expect(balance.missingMs).toBe(40);
  });
});
