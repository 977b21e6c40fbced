import { stripVTControlCharacters } from 'node:util';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { SyncEvent } from '../../../src/cli/sync-functions.ts';
import { startSyncDisplay } from '../../../src/cli/progress/sync-display-start.ts';
import { syncProgressText } from '../../../src/cli/progress/sync-progress-text.ts';
import { type FakeContext, fakeContext } from '../fake-context.ts';
import { completed, failedTag, PAUSE, progressOf, reportTag } from '../sync-sample.ts';

function textOf(event: SyncEvent): string {
  return event.type === 'sync-progress' ? syncProgressText(event.progress) : '';
}

describe('the line of progress', () => {
  test('tells images, bytes, rate and time left', () => {
    expect(textOf(progressOf())).toBe(
      '312 of 1204 images, 1.20 GB sent, 45.0 MB/s, 12:03 left, 4 under way',
    );
  });

  test('tells what went wrong and what was spared', () => {
    const more = { imagesFailed: 2, mountedBytes: 3_000_000, throttledCallCount: 5 };
    expect(textOf(progressOf(more))).toBe(
      '312 of 1206 images, 2 failed, 1.20 GB sent, 45.0 MB/s, 12:03 left, 3.00 MB mounted, ' +
        '5 throttled, 4 under way',
    );
  });

  test('says no time left while sources are still looked at', () => {
    expect(textOf(progressOf({ discovered: false, bytesPerSecond: 0 }))).toBe(
      '312 of 1204 images so far, 1.20 GB sent, still looking at sources (2000 tags), 4 under way',
    );
  });
});

test('before there is an image, the sources are what is told', () => {
  const nothing = { imagesDone: 0, imagesInFlight: 0, imagesWaiting: 0, uploadedBytes: 0 };
  const event = progressOf({ ...nothing, bytesPerSecond: 0, discovered: false, tagCount: 1 });
  expect(textOf(event)).toBe('still looking at sources (1 tag)');
});

describe('as plain lines', () => {
  test('progress is told at most every ten seconds, and only where it changes', () => {
    let nowMs = 0;
    const context = { ...fakeContext(), now: () => nowMs };
    const display = startSyncDisplay(context, 'lines');
    for (; nowMs <= 30_000; nowMs += 1000) display.record(progressOf({ imagesDone: nowMs }));
    for (; nowMs <= 60_000; nowMs += 1000) display.record(progressOf({ imagesDone: 40_000 }));
    const told = context.stderr.lines.map((line) => line.split(' ')[0]);
    expect(told).toEqual(['10000', '20000', '30000', '40000']);
  });

  test('failures and pauses are told at once', () => {
    const context = fakeContext();
    const display = startSyncDisplay(context, 'lines');
    display.record(PAUSE);
    display.record(completed(reportTag('1.25', 'copied')));
    display.record(completed(failedTag('1.24')));
    const message = 'no such\nrepository';
    const code = 'E_SOURCE_DENIED';
    display.record({ type: 'repository-failed', source: 'quay.io/a/b', code, message });
    expect(context.stderr.lines).toEqual([
      'docker.io: pauses for 12:03: its pull budget is used up',
      'docker.io/library/nginx:1.24 -> prod/mirror/nginx: failed, ' +
        'the registry refuses to give it (E_SOURCE_DENIED)',
      'quay.io/a/b: failed, no such?repository (E_SOURCE_DENIED)',
    ]);
  });

  test('after twenty failures they are only counted, and so are pauses', () => {
    const context = fakeContext();
    const display = startSyncDisplay(context, 'lines');
    for (let index = 0; index < 30; index += 1) display.record(completed(failedTag(`1.${index}`)));
    expect(context.stderr.lines).toHaveLength(21);
    expect(context.stderr.lines.at(-1)).toBe('further failures are only counted');
    for (let index = 0; index < 30; index += 1) display.record(PAUSE);
    expect(context.stderr.lines).toHaveLength(42);
  });
});

describe('on a terminal', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  function onTerminal(now: () => number = () => 0): FakeContext {
    const context = fakeContext({ env: { TERM: 'xterm', NO_COLOR: '1' }, now });
    context.stderr.isTerminal = true;
    return context;
  }

  test('one line is kept up to date, with what happens above it', () => {
    let nowMs = 0;
    const context = onTerminal(() => nowMs);
    const display = startSyncDisplay(context, 'bars');
    expect(stripVTControlCharacters(context.stderr.text)).toContain('0:00  looking at sources');
    context.stderr.text = '';
    nowMs = 42_000;
    display.record(progressOf());
    vi.advanceTimersByTime(100);
    expect(stripVTControlCharacters(context.stderr.text)).toContain('0:42  312 of 1204 images');
    display.record(PAUSE);
    expect(stripVTControlCharacters(context.stderr.text)).toContain(
      'docker.io: pauses for 12:03: its pull budget is used up\n',
    );
    display.stop();
    expect(vi.getTimerCount()).toBe(0);
    expect(context.stderr.resizeListeners.size + context.exitListeners.size).toBe(0);
  });

  test('the line fits the terminal', () => {
    const context = onTerminal();
    context.stderr.columns = 40;
    const display = startSyncDisplay(context, 'bars');
    context.stderr.text = '';
    display.record(progressOf());
    vi.advanceTimersByTime(100);
    display.stop();
    const [line = ''] = /0:00[^\r\n]*/.exec(stripVTControlCharacters(context.stderr.text)) ?? [];
    expect(line).toBe('0:00  312 of 1204 images, 1.20 GB sent…'.slice(0, 39));
  });

  test('the cursor is given back when the process ends without a stop', () => {
    const context = onTerminal();
    startSyncDisplay(context, 'bars');
    for (const listener of context.exitListeners) listener();
    expect(context.stderr.text.endsWith('\u001b[?2026l')).toBe(true);
    expect(context.stderr.text).toContain('\u001b[?25h');
    expect(vi.getTimerCount()).toBe(0);
  });
});
