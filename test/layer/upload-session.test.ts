import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type SessionCommand, UploadSession } from '../../src/layer/upload-session.ts';
import { EcrModel, type Wire } from './ecr-model.ts';

const range = (firstByte: number, endByte: number) => ({ firstByte, endByte });

describe('upload session', () => {
  test('sends the first part whole and holds the tails of the others', () => {
    const session = new UploadSession(3, 5);
    expect(session.add(range(0, 10))).toEqual([
      { type: 'transmit', index: 0, attempt: 1, held: false },
    ]);
    expect(session.add(range(10, 20))).toEqual([
      { type: 'transmit', index: 1, attempt: 1, held: true },
    ]);
  });

  test('releases the next part before all else when the one before it is acknowledged', () => {
    const session = new UploadSession(2, 5);
    session.add(range(0, 10));
    session.add(range(10, 20));
    expect(session.acknowledged(0, 1, 9)).toEqual([
      { type: 'release', index: 1 },
      { type: 'committed', index: 0, attempt: 1 },
    ]);
  });

  test('keeps at most the window on the wire, and prepares one ahead of a window of one', () => {
    const session = new UploadSession(1, 5);
    session.add(range(0, 10));
    expect(session.hasRoom).toBe(true);
    expect(session.add(range(10, 20))).toEqual([]);
    expect(session.hasRoom).toBe(false);
    expect(session.inFlightCount).toBe(1);
    expect(session.acknowledged(0, 1, 9)).toContainEqual({
      type: 'transmit',
      index: 1,
      attempt: 1,
      held: false,
    });
  });

  test('takes a part for landed when the registry already wants a later byte', () => {
    const session = new UploadSession(1, 5);
    session.add(range(0, 10));
    expect(session.failed(0, 1)).toEqual([{ type: 'wait', index: 0, failureCount: 1 }]);
    session.due(0);
    expect(session.outOfOrder(0, 2, 10)).toContainEqual({
      type: 'committed',
      index: 0,
      attempt: 2,
    });
  });

  test('sends again after a reply that names another last byte', () => {
    const session = new UploadSession(1, 5);
    session.add(range(0, 10));
    expect(session.acknowledged(0, 1, 4)).toEqual([{ type: 'wait', index: 0, failureCount: 1 }]);
  });

  test('gives up on a registry that forgot acknowledged bytes', () => {
    const session = new UploadSession(2, 5);
    session.add(range(0, 10));
    session.add(range(10, 20));
    session.acknowledged(0, 1, 9);
    expect(session.outOfOrder(1, 1, 0)).toEqual([{ type: 'diverged', index: 1 }]);
  });

  test('gives up on a registry that has half a part, or will not say what it has', () => {
    for (const nextByte of [5, undefined]) {
      const session = new UploadSession(1, 5);
      session.add(range(0, 10));
      expect(session.outOfOrder(0, 1, nextByte)).toEqual([{ type: 'diverged', index: 0 }]);
    }
  });

  test('narrows the window when a tail was held for too long, and widens it after success', () => {
    const session = new UploadSession(4, 5);
    for (let index = 0; index < 4; index += 1) session.add(range(index * 10, index * 10 + 10));
    expect(session.holdExpired(3, 1)).toEqual([
      { type: 'cancel', index: 3 },
      { type: 'window', size: 2 },
    ]);
    const commands: SessionCommand[] = [];
    for (let index = 0; index < 16; index += 1) {
      const attempt = index === 3 ? 2 : 1;
      commands.push(...session.acknowledged(index, attempt, index * 10 + 9));
      session.add(range(index * 10 + 40, index * 10 + 50));
    }
    expect(commands.filter(({ type }) => type === 'window')).toEqual([
      { type: 'window', size: 3 },
      { type: 'window', size: 4 },
    ]);
  });

  test('ignores answers to attempts that are over', () => {
    const session = new UploadSession(1, 5);
    session.add(range(0, 10));
    session.failed(0, 1);
    session.due(0);
    expect(session.acknowledged(0, 1, 9)).toEqual([]);
    expect(session.failed(0, 1)).toEqual([]);
    expect(session.outOfOrder(0, 1, 0)).toEqual([]);
    expect(session.committedBytes).toBe(0);
  });

  test('is exhausted after as many failures in a row as allowed', () => {
    const session = new UploadSession(1, 2);
    session.add(range(0, 10));
    session.failed(0, 1);
    session.due(0);
    expect(session.failed(0, 2)).toEqual([{ type: 'exhausted', index: 0 }]);
  });

  test('refuses parts that do not follow each other', () => {
    const session = new UploadSession(1, 2);
    expect(() => session.add(range(1, 10))).toThrow(new RangeError('part 1-10 does not follow'));
    session.add(range(0, 10));
    expect(() => session.add(range(10, 10))).toThrow(RangeError);
  });
});

/** A window of four with four parts on the wire, all but the first held. */
function sessionOfFour(failuresMax = 5): UploadSession {
  const session = new UploadSession(4, failuresMax);
  for (let index = 0; index < 4; index += 1) session.add(range(index * 10, index * 10 + 10));
  return session;
}

describe('a part of a session', () => {
  test('that fails is sent again after a wait, and no fewer travel at once', () => {
    expect(sessionOfFour().failed(0, 1)).toEqual([{ type: 'wait', index: 0, failureCount: 1 }]);
  });

  test('that stood still is sent again, and fewer travel at once, down to one', () => {
    expect(sessionOfFour().failed(0, 1, true)).toEqual([
      { type: 'window', size: 2 },
      { type: 'wait', index: 0, failureCount: 1 },
    ]);
    const narrow = new UploadSession(1, 5);
    narrow.add(range(0, 10));
    expect(narrow.failed(0, 1, true)).toEqual([{ type: 'wait', index: 0, failureCount: 1 }]);
  });

  test('that fails while it is held has not landed: it counts as no failure, but fewer travel', () => {
    const session = sessionOfFour(1);
    expect(session.failed(1, 1)).toEqual([
      { type: 'window', size: 2 },
      { type: 'wait', index: 1, failureCount: 1 },
    ]);
  });

  test('that is refused for its order while it is held says nothing of the registry', () => {
    expect(sessionOfFour().outOfOrder(1, 1, 0)).toEqual([
      { type: 'window', size: 2 },
      { type: 'wait', index: 1, failureCount: 1 },
    ]);
  });

  test('that is refused, though it is the next one, is sent again', () => {
    expect(sessionOfFour().outOfOrder(0, 1, 0)).toEqual([
      { type: 'wait', index: 0, failureCount: 1 },
    ]);
  });

  test('is not given up for a hold that is over, or never was', () => {
    const session = sessionOfFour();
    expect(session.holdExpired(0, 1)).toEqual([]);
    expect(session.holdExpired(7, 1)).toEqual([]);
    expect(session.holdExpired(1, 2)).toEqual([]);
    expect(session.inFlightCount).toBe(4);
  });

  test('is not due unless it waits', () => {
    const session = sessionOfFour();
    expect(session.due(0)).toEqual([]);
    expect(session.due(7)).toEqual([]);
    session.failed(0, 1);
    expect(session.due(0)).toEqual([{ type: 'transmit', index: 0, attempt: 2, held: false }]);
    expect(session.due(0)).toEqual([]);
  });

  test('is not answered twice, nor one that nobody knows', () => {
    const session = sessionOfFour();
    session.failed(0, 1);
    expect(session.failed(0, 1)).toEqual([]);
    expect(session.acknowledged(0, 1, 9)).toEqual([]);
    expect(session.acknowledged(7, 1, 79)).toEqual([]);
    expect([session.committedCount, session.committedBytes]).toEqual([0, 0]);
    session.due(0);
    session.acknowledged(0, 2, 9);
    expect([session.committedCount, session.committedBytes]).toEqual([1, 10]);
    expect(session.acknowledged(0, 2, 9)).toEqual([]);
  });
});

/**
 * The session against a model of ECR's rule, over schedules that lose, delay, repeat and reorder what
 * travels between them. `steps` are drawn numbers that pick what happens next.
 */
function runSchedule(partCount: number, window: number, steps: readonly number[]): EcrModel {
  const session = new UploadSession(window, 1_000_000);
  const registry = new EcrModel();
  let added = 0;
  const waiting = new Set<number>();

  const perform = (commands: readonly SessionCommand[]): void => {
    for (const command of commands) {
      if (command.type === 'transmit')
        registry.send({ ...command, range: partRange(command.index) });
      if (command.type === 'release') registry.release(command.index);
      if (command.type === 'cancel') registry.cut(command.index);
      if (command.type === 'wait') waiting.add(command.index);
      if (command.type === 'committed' && !registry.holds(partRange(command.index))) {
        throw new Error(`part ${command.index} counts as committed, but is not`);
      }
      if (command.type === 'exhausted' || command.type === 'diverged')
        throw new Error(command.type);
    }
    if (session.inFlightCount > window) throw new Error('more parts in flight than the window');
  };
  const deliver = (wire: Wire): void => {
    const { index, attempt } = wire.request;
    const answer = wire.answer;
    if (answer === undefined || answer.type === 'lost') perform(session.failed(index, attempt));
    else if (answer.type === 'acknowledged') {
      // Whatever is seen on the wire, it must not break the order.
      const arrivedCount = (answer.lastByte + attempt) % 3;
      const reading = { arrivedCount, wireMsPerByte: 1 };
      perform(session.acknowledged(index, attempt, answer.lastByte, reading));
    } else perform(session.outOfOrder(index, attempt, answer.nextByte));
  };
  const advance = (step: number): void => {
    if (added < partCount && session.hasRoom) {
      perform(session.add(partRange(added)));
      added += 1;
      return;
    }
    const wires = registry.wires;
    const wire = wires[step % Math.max(wires.length, 1)];
    switch (step % 7) {
      case 0:
      case 1:
      case 2:
        registry.arrive(step);
        break;
      case 3:
      case 4: {
        const answered = wires.filter(({ answer }) => answer !== undefined);
        const chosen = answered[step % Math.max(answered.length, 1)];
        if (chosen !== undefined) deliver(registry.take(chosen));
        break;
      }
      case 5:
        // The connection breaks: whether the request has arrived or not, no answer comes.
        if (wire !== undefined) deliver(registry.lose(wire, step % 2 === 0));
        break;
      case 6:
        if (wire !== undefined && step % 3 === 0) {
          perform(session.holdExpired(wire.request.index, wire.request.attempt));
        } else
          for (const index of waiting) {
            waiting.delete(index);
            perform(session.due(index));
            break;
          }
    }
  };

  for (const step of steps) advance(step);
  // From here on nothing is lost: it must come to an end, in bounded time.
  for (let round = 0; round < 100 * partCount + 100; round += 1) {
    if (added === partCount && session.isDrained) break;
    if (added < partCount && session.hasRoom) advance(0);
    const due = [...waiting];
    waiting.clear();
    for (const index of due) perform(session.due(index));
    registry.arrive(round);
    for (const wire of registry.wires.filter(({ answer }) => answer !== undefined)) {
      deliver(registry.take(wire));
    }
  }
  expect(session.isDrained && added === partCount).toBe(true);
  expect(session.committedBytes).toBe(partRange(partCount - 1).endByte);
  return registry;
}

function partRange(index: number) {
  return { firstByte: index * 10, endByte: index * 10 + 10 };
}

describe('upload session against a model of ECR', () => {
  test('commits every part once and in order over 12,000 schedules of losses and reorderings', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 1, max: 8 }),
        fc.array(fc.nat({ max: 10_000 }), { maxLength: 120 }),
        (partCount, window, steps) => {
          const registry = runSchedule(partCount, window, steps);
          expect(registry.committed).toEqual(
            Array.from({ length: partCount }, (_, index) => partRange(index)),
          );
          // A tail that is held is never seen, so the registry has nothing to refuse but repeats.
          expect(registry.refusedAheadCount).toBe(0);
        },
      ),
      { numRuns: 12_000 },
    );
  });
});
