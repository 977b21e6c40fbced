import { expect, test } from 'vitest';
import { KeptAnswer } from '../../src/uploader/kept-answer.ts';

const { signal } = new AbortController();

/** Answers 1, 2, 3, ... */
function counting(keptMs?: number) {
  let askedCount = 0;
  let nowMs = 0;
  const ask = (): Promise<number> => {
    askedCount += 1;
    return Promise.resolve(askedCount);
  };
  const answer = new KeptAnswer(ask, keptMs, () => nowMs);
  return { answer, pass: (ms: number) => (nowMs += ms) };
}

test('is found out once for all who ask', async () => {
  const { answer, pass } = counting();
  expect(await Promise.all([answer.get(signal), answer.get(signal)])).toEqual([1, 1]);
  pass(1e12);
  expect(await answer.get(signal)).toBe(1);
});

test('is asked for anew when its time is over, and not before', async () => {
  const { answer, pass } = counting(1000);
  expect(await answer.get(signal)).toBe(1);
  pass(999);
  expect(await answer.get(signal)).toBe(1);
  pass(1);
  expect(await Promise.all([answer.get(signal), answer.get(signal)])).toEqual([2, 2]);
});

test('that has proved wrong is dropped once, by however many found it wrong', async () => {
  const { answer } = counting();
  expect(await answer.get(signal)).toBe(1);
  await answer.drop(1);
  expect(await answer.get(signal)).toBe(2);
  await answer.drop(1);
  expect(await answer.get(signal)).toBe(2);
});

test('a failure is told to those who wait, and not kept', async () => {
  let isBroken = true;
  const answer = new KeptAnswer(() =>
    isBroken ? Promise.reject(new Error('broken')) : Promise.resolve('well'),
  );
  const [first, second] = await Promise.allSettled([answer.get(signal), answer.get(signal)]);
  expect([first.status, second.status]).toEqual(['rejected', 'rejected']);
  isBroken = false;
  expect(await answer.get(signal)).toBe('well');
});

test('who gives up leaves the others waiting', async () => {
  let settle: (value: string) => void = () => undefined;
  const answer = new KeptAnswer(() => new Promise<string>((resolve) => (settle = resolve)));
  const abort = new AbortController();
  const first = answer.get(abort.signal);
  const second = answer.get(signal);
  const reason = new Error('enough');
  abort.abort(reason);
  await expect(first).rejects.toBe(reason);
  settle('late');
  expect(await second).toBe('late');
});
