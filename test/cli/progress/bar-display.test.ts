import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { LayerEvent } from '../../../src/index.ts';
import { chooseProgressKind, startProgress } from '../../../src/cli/progress/progress-start.ts';
import { type FakeContext, fakeContext } from '../fake-context.ts';
import { EMPTY_SNAPSHOT } from '../fake-uploader.ts';

const HIDE_CURSOR = '\u001b[?25l';
const SHOW_CURSOR = '\u001b[?25h';
const NAME = { repository: 'team/app', source: 'a', layerId: 1 };
const EXPECTED = [{ label: 'a', sizeBytes: 1000 }];

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function onTerminal(): FakeContext {
  const context = fakeContext({ env: { TERM: 'xterm' } });
  context.stderr.isTerminal = true;
  return context;
}

test('the cursor is hidden while bars are drawn and given back at the end', () => {
  const context = onTerminal();
  const progress = startProgress(context, 'bars', EXPECTED, () => EMPTY_SNAPSHOT);
  expect(context.stderr.text).toContain(HIDE_CURSOR);
  progress.stop();
  expect(context.stderr.text.lastIndexOf(SHOW_CURSOR)).toBeGreaterThan(
    context.stderr.text.lastIndexOf(HIDE_CURSOR),
  );
  expect(vi.getTimerCount()).toBe(0);
  expect(context.stderr.resizeListeners.size + context.exitListeners.size).toBe(0);
});

test('the cursor is given back when the process ends without a stop', () => {
  const context = onTerminal();
  startProgress(context, 'bars', EXPECTED, () => EMPTY_SNAPSHOT);
  for (const listener of context.exitListeners) listener();
  expect(context.stderr.text.lastIndexOf(SHOW_CURSOR)).toBeGreaterThan(
    context.stderr.text.lastIndexOf(HIDE_CURSOR),
  );
  expect(vi.getTimerCount()).toBe(0);
});

test('a frame is drawn every 100 ms, each in one write', () => {
  const context = onTerminal();
  const progress = startProgress(context, 'bars', EXPECTED, () => EMPTY_SNAPSHOT);
  const write = vi.spyOn(context.stderr, 'write');
  vi.advanceTimersByTime(1000);
  expect(write).toHaveBeenCalledTimes(10);
  progress.stop();
});

test('retries show as one note that goes away', () => {
  let nowMs = 0;
  const context = { ...onTerminal(), now: () => nowMs };
  const progress = startProgress(context, 'bars', EXPECTED, () => EMPTY_SNAPSHOT);
  const retry: LayerEvent = {
    ...NAME,
    type: 'call-retried',
    operation: 'UploadLayerPart',
    attempt: 1,
    delayMs: 100,
    code: 'E_THROTTLED',
    message: 'Rate exceeded',
  };
  for (let count = 0; count < 50; count += 1) progress.record(retry);
  context.stderr.text = '';
  vi.advanceTimersByTime(100);
  expect(context.stderr.text.match(/E_THROTTLED/g)).toHaveLength(1);
  nowMs = 60_000;
  vi.advanceTimersByTime(100);
  context.stderr.text = '';
  vi.advanceTimersByTime(100);
  expect(context.stderr.text).not.toContain('E_THROTTLED');
  progress.stop();
});

test('a failure stays above the bars', () => {
  const context = onTerminal();
  const progress = startProgress(context, 'bars', EXPECTED, () => EMPTY_SNAPSHOT);
  progress.record({ ...NAME, type: 'layer-failed', code: 'E_NETWORK', message: 'gone' });
  progress.stop();
  expect(context.stderr.text).toContain('a: failed, E_NETWORK');
});

test('the block is built anew after a resize, as high as the terminal allows', () => {
  const context = onTerminal();
  const layers = Array.from({ length: 30 }, (_, layerId) => ({
    ...NAME,
    layerId,
    state: 'sending' as const,
    digest: undefined,
    sizeBytes: 1000,
    hashedBytes: 0,
    acceptedBytes: 1,
    wiredBytes: 1,
    partsInFlight: 1,
  }));
  const snapshot = { ...EMPTY_SNAPSHOT, layers };
  const progress = startProgress(context, 'bars', EXPECTED, () => snapshot);
  context.stderr.text = '';
  context.stderr.rows = 8;
  context.stderr.columns = 60;
  for (const listener of context.stderr.resizeListeners) listener();
  expect(context.stderr.text).toContain('and 26 more under way');
  expect(context.stderr.text.split('\n').length).toBeLessThanOrEqual(7);
  progress.stop();
});

test.each([
  [{ TERM: 'xterm' }, true, true, false, 'bars'],
  [{ TERM: 'xterm' }, false, true, false, 'lines'],
  [{ TERM: 'xterm', CI: 'true' }, true, true, false, 'lines'],
  [{ TERM: 'xterm' }, true, false, false, 'lines'],
  [{ TERM: 'dumb' }, true, true, false, 'lines'],
  [{ TERM: 'xterm' }, true, true, true, 'none'],
])('with %j, terminal %s, progress %s, quiet %s: %s', (env, isTerminal, progress, quiet, kind) => {
  const context = fakeContext({ env });
  context.stderr.isTerminal = isTerminal;
  expect(chooseProgressKind(context, { progress, quiet })).toBe(kind);
});
