import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Movement, StallWatch, type StallTimes } from '../../src/layer/stall-watch.ts';

const NOTICE_MS = 100;
const TIMES: StallTimes = {
  rate: NOTICE_MS,
  credentials: NOTICE_MS,
  worker: NOTICE_MS,
  connection: NOTICE_MS,
  socket: NOTICE_MS,
  predecessor: Number.POSITIVE_INFINITY,
  reply: 3 * NOTICE_MS,
  source: NOTICE_MS,
  preparation: NOTICE_MS,
  memory: NOTICE_MS,
  turn: NOTICE_MS,
  call: NOTICE_MS,
};

function thing(key: string, waitingFor: Movement['waitingFor'], mark = 'same'): Movement {
  return { key, waitingFor, mark };
}

/** Looks every 10 ms, from `fromMs` on; what is told, and when. */
function told(
  watch: StallWatch<Movement>,
  things: (nowMs: number) => Movement[],
  endMs: number,
  fromMs = 0,
): string[] {
  const found: string[] = [];
  for (let nowMs = fromMs; nowMs <= endMs; nowMs += 10) {
    for (const stall of watch.look(things(nowMs), nowMs)) {
      found.push(`${stall.thing.key} ${stall.thing.waitingFor} ${stall.waitedMs}`);
    }
  }
  return found;
}

describe('what does not move', () => {
  test('is told of once its time is over, and again each time the wait has doubled', () => {
    const watch = new StallWatch(TIMES, 30);
    expect(told(watch, () => [thing('a', 'socket')], 1000)).toEqual([
      'a socket 100',
      'a socket 200',
      'a socket 400',
      'a socket 800',
    ]);
  });

  test('is told of anew when it has moved in between', () => {
    const watch = new StallWatch(TIMES, 30);
    const moving = (nowMs: number): Movement[] => [
      thing('a', 'socket', nowMs < 150 ? 'one' : 'two'),
    ];
    expect(told(watch, moving, 270)).toEqual(['a socket 100', 'a socket 100']);
  });

  test('has another time for each thing that is waited for, which begins with the wait', () => {
    const watch = new StallWatch(TIMES, 30);
    const things = (nowMs: number): Movement[] => [thing('a', nowMs < 90 ? 'socket' : 'reply')];
    expect(told(watch, things, 380)).toEqual([]);
    expect(told(watch, things, 400, 390)).toEqual(['a reply 300']);
  });

  test('is not a part whose predecessor is to be named', () => {
    const watch = new StallWatch(TIMES, 30);
    const things = [thing('0', 'reply'), thing('1', 'predecessor')];
    expect(told(watch, () => things, 400)).toEqual(['0 reply 300']);
  });

  test.each(['memory', 'turn', 'rate'] as const)(
    'is not what waits for %s while anything else moves or ends',
    (waitingFor) => {
      const others = (nowMs: number): Movement[] =>
        nowMs < 500 ? [thing('other', 'socket', String(nowMs))] : [];
      const watch = new StallWatch(TIMES, 30);
      const things = (nowMs: number): Movement[] => [thing('a', waitingFor), ...others(nowMs)];
      expect(told(watch, things, 590)).toEqual([]);
      expect(told(watch, things, 600, 600)).toEqual([`a ${waitingFor} 100`]);
    },
  );

  test('is not told of for the time in which nobody looked', () => {
    const watch = new StallWatch(TIMES, 30);
    const things = [thing('a', 'socket')];
    expect(watch.look(things, 0)).toEqual([]);
    expect(watch.look(things, 100_000)).toEqual([]);
    expect(watch.look(things, 100_060)).toEqual([]);
    expect(watch.look(things, 100_090)).toEqual([]);
    expect(watch.look(things, 100_120)).toMatchObject([{ waitedMs: 120 }]);
  });
});

test('whatever moves often enough is never told of, and whatever stands still always is', () => {
  fc.assert(
    fc.property(
      fc.array(fc.boolean(), { minLength: 1, maxLength: 100 }),
      fc.constantFrom<Movement['waitingFor']>('socket', 'source', 'call', 'preparation'),
      (moves, waitingFor) => {
        const watch = new StallWatch(TIMES, 30);
        let mark = 0;
        let stillMs = 0;
        for (const [index, hasMoved] of moves.entries()) {
          if (hasMoved) mark += 1;
          stillMs = hasMoved || index === 0 ? 0 : stillMs + 20;
          const stalls = watch.look([thing('a', waitingFor, String(mark))], index * 20);
          const doublings = [100, 200, 400, 800, 1600];
          expect(stalls.length).toBe(doublings.includes(stillMs) ? 1 : 0);
        }
      },
    ),
  );
});
