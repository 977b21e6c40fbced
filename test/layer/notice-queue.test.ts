import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { NoticeQueue } from '../../src/layer/notice-queue.ts';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

test('tells in order, and only when what had to happen first has happened', () => {
  const queue = new NoticeQueue();
  const told: string[] = [];
  queue.add(() => told.push('first'));
  queue.add(() => told.push('second'));
  expect(told).toEqual([]);
  vi.runAllTimers();
  expect(told).toEqual(['first', 'second']);
});

test('tells what is left at the end at once, and leaves no handle', () => {
  const queue = new NoticeQueue();
  const told: string[] = [];
  queue.add(() => told.push('last'));
  queue.flush();
  expect(told).toEqual(['last']);
  expect(vi.getTimerCount()).toBe(0);
  vi.runAllTimers();
  expect(told).toEqual(['last']);
});

test('tells in the next turn what comes up while it tells', () => {
  const queue = new NoticeQueue();
  const told: string[] = [];
  queue.add(() => queue.add(() => told.push('later')));
  queue.flush();
  expect(told).toEqual([]);
  vi.runAllTimers();
  expect(told).toEqual(['later']);
});
