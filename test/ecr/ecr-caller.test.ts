import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { CALLS_PER_SECOND_BY_DEFAULT } from '../../src/ecr/call-quota.ts';
import { EcrCaller } from '../../src/ecr/ecr-caller.ts';

const CONTEXT = { operation: 'PutImage', repository: 'team/app' };

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

function createCaller(perSecond: number): EcrCaller {
  return new EcrCaller({
    client: { region: 'eu-central-1' },
    registryId: undefined,
    requestHandler: { handle: () => Promise.reject(new Error('nothing is sent here')) },
    callsPerSecondMax: { ...CALLS_PER_SECOND_BY_DEFAULT, PutImage: perSecond },
  });
}

/** Makes a call that ECR answers with `answer`; tells of it in `sent` when it leaves. */
function call(caller: EcrCaller, sent: string[], answer: () => Promise<string>): Promise<string> {
  return caller.call(CONTEXT, undefined, new AbortController().signal, () => {
    sent.push('sent');
    return answer();
  });
}

const succeed = (): Promise<string> => Promise.resolve('done');
const throttle = (): Promise<string> => {
  return Promise.reject(Object.assign(new Error('Rate exceeded'), { name: 'ThrottlingException' }));
};

test('a throttled call halves the rate of its operation', async () => {
  const caller = createCaller(4);
  const sent: string[] = [];
  await expect(call(caller, sent, throttle)).rejects.toMatchObject({ kind: 'throttled' });
  const calls = [call(caller, sent, succeed), call(caller, sent, succeed)];
  await vi.advanceTimersByTimeAsync(400);
  expect(sent).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(200);
  expect(sent).toHaveLength(2);
  await vi.advanceTimersByTimeAsync(600);
  expect(await Promise.all(calls)).toEqual(['done', 'done']);
});

test.each([
  { name: 'any other failure', fail: () => Promise.reject(new Error('something')) },
  { name: 'a success', fail: succeed },
])('$name does not', async ({ fail }) => {
  const caller = createCaller(4);
  const sent: string[] = [];
  await Promise.allSettled([call(caller, sent, fail)]);
  await Promise.all([call(caller, sent, succeed), call(caller, sent, succeed)]);
  expect(sent).toHaveLength(3);
});

test('an operation without a limit is held back by nothing, throttled or not', async () => {
  const caller = createCaller(Number.POSITIVE_INFINITY);
  const sent: string[] = [];
  await Promise.allSettled(Array.from({ length: 50 }, () => call(caller, sent, throttle)));
  await Promise.all(Array.from({ length: 50 }, () => call(caller, sent, succeed)));
  expect(sent).toHaveLength(100);
});

test('one operation does not wait for another', async () => {
  const caller = createCaller(1);
  const sent: string[] = [];
  await call(caller, sent, succeed);
  const abort = new AbortController();
  const waiting = caller.call(CONTEXT, undefined, abort.signal, succeed);
  const other = { operation: 'BatchGetImage', repository: 'team/app' };
  expect(await caller.call(other, undefined, new AbortController().signal, succeed)).toBe('done');
  abort.abort(new Error('enough'));
  await expect(waiting).rejects.toThrow('enough');
});
