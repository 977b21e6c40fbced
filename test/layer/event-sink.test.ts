import { afterEach, describe, expect, test, vi } from 'vitest';
import { EventSink } from '../../src/layer/event-sink.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

function spyOnWarnings() {
  return vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
}

describe('event sink', () => {
  test('hands on the event itself, frozen with all that is in it', () => {
    const warn = spyOnWarnings();
    const seen: object[] = [];
    const event = { part: { range: { endByte: 1 } }, nothing: null };
    new EventSink((given: object) => seen.push(given)).emit(event);
    expect(seen[0]).toBe(event);
    expect(warn).not.toHaveBeenCalled();
    expect([event, event.part, event.part.range].map((value) => Object.isFrozen(value))).toEqual([
      true,
      true,
      true,
    ]);
  });

  test('leaves the event alone where nobody listens', () => {
    const event = { type: 'any' };
    new EventSink(undefined).emit(event);
    expect(Object.isFrozen(event)).toBe(false);
  });

  test('warns once of what the function throws, and goes on telling', () => {
    const warn = spyOnWarnings();
    let calls = 0;
    const sink = new EventSink(() => {
      calls += 1;
      throw new Error('not today');
    });
    sink.emit({ type: 'first' });
    sink.emit({ type: 'second' });
    expect(calls).toBe(2);
    expect(warn.mock.calls).toEqual([
      ['onEvent threw, its exceptions are ignored: Error: not today', { type: 'LongshoreWarning' }],
    ]);
  });

  test('warns of what the promise of an async function rejects with', async () => {
    const warn = spyOnWarnings();
    const sink = new EventSink(() => Promise.reject(new Error('later')));
    sink.emit({ type: 'any' });
    await Promise.resolve();
    expect(warn).toHaveBeenCalledOnce();
  });
});
