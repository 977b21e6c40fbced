import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { headerLine, progressLine, readJournal } from '../../src/journal/journal-text.ts';
import type { JournalledProgress, JournalledUpload } from '../../src/layer/layer-journal.ts';

const UPLOAD: JournalledUpload = {
  uploadId: '6cb64b8a-9378-0e33-2ab1-b780fab8a9e9',
  partSizeBytes: 10,
  sizeBytes: 1000,
  file: { path: '/layers/ü "one"\n.tar', stamp: '1000-17-5-3' },
};
const NOTHING = { endByte: 0, partCount: 0, savedHash: undefined };

/** Progress as an upload makes it: forward, in parts, with a state or without. */
const progresses = fc
  .array(
    fc.record({
      partCount: fc.integer({ min: 1, max: 5 }),
      savedHash: fc.option(fc.uint8Array({ minLength: 1, maxLength: 120 }), { nil: undefined }),
    }),
    { maxLength: 6 },
  )
  .map((steps) => {
    let partCount = 0;
    return steps.map((step): JournalledProgress => {
      partCount += step.partCount;
      return { endByte: partCount * 10, partCount, savedHash: step.savedHash };
    });
  });

/** The journal's lines, each with what is known once it is read. */
function linesOf(reached: readonly JournalledProgress[], upload: JournalledUpload = UPLOAD) {
  const header = headerLine('team/app', upload);
  let { checksum } = header;
  const lines: { bytes: Buffer; progress: JournalledProgress }[] = [
    { bytes: Buffer.from(header.text), progress: NOTHING },
  ];
  for (const progress of reached) {
    const line = progressLine(checksum, progress);
    ({ checksum } = line);
    lines.push({ bytes: Buffer.from(line.text), progress });
  }
  return lines;
}

/** @param lines those that hold */
function expectPrefix(bytes: Uint8Array, lines: ReturnType<typeof linesOf>): void {
  const reading = readJournal(bytes);
  const last = lines.at(-1);
  const expected =
    last === undefined
      ? { kind: bytes.includes(10) ? 'damaged' : 'empty' }
      : {
          kind: 'upload',
          upload: UPLOAD,
          progress: last.progress,
          validBytes: lines.reduce((sum, line) => sum + line.bytes.length, 0),
        };
  expect({ ...reading, checksum: undefined }).toEqual({ ...expected, checksum: undefined });
}

describe('a journal that is cut off', () => {
  test('gives what its whole lines say, at every byte', () => {
    fc.assert(
      fc.property(progresses, (reached) => {
        const lines = linesOf(reached);
        const whole = Buffer.concat(lines.map(({ bytes }) => bytes));
        for (let length = 0; length <= whole.length; length += 1) {
          let endByte = 0;
          const left = lines.filter(({ bytes }) => (endByte += bytes.length) <= length);
          expectPrefix(whole.subarray(0, length), left);
        }
      }),
      { numRuns: 10 },
    );
  });

  test('may go on behind its last whole line', () => {
    const [header, first, , third] = linesOf([
      { endByte: 10, partCount: 1, savedHash: undefined },
      { endByte: 20, partCount: 2, savedHash: undefined },
      { endByte: 30, partCount: 3, savedHash: undefined },
    ]);
    if (header === undefined || first === undefined || third === undefined) throw new Error();
    const cut = readJournal(Buffer.concat([header.bytes, first.bytes, third.bytes]));
    expect(cut).toMatchObject({ progress: { endByte: 10 } });
    if (cut.kind !== 'upload') throw new Error();
    const { text } = progressLine(cut.checksum, {
      endByte: 40,
      partCount: 4,
      savedHash: undefined,
    });
    const grown = Buffer.concat([header.bytes, first.bytes, Buffer.from(text)]);
    expect(readJournal(grown)).toMatchObject({ progress: { endByte: 40, partCount: 4 } });
  });
});

describe('a journal that is damaged', () => {
  test('ends where the damage is', () => {
    fc.assert(
      fc.property(progresses, fc.nat(), fc.integer({ min: 1, max: 255 }), (reached, at, flip) => {
        const lines = linesOf(reached);
        const whole = Buffer.concat(lines.map(({ bytes }) => bytes));
        const position = at % whole.length;
        whole[position] = (whole[position] ?? 0) ^ flip;
        let endByte = 0;
        const left = lines.filter(({ bytes }) => (endByte += bytes.length) <= position);
        expectPrefix(whole, left);
      }),
    );
  });

  test('ends where garbage begins', () => {
    fc.assert(
      fc.property(progresses, fc.uint8Array({ minLength: 1, maxLength: 300 }), (reached, tail) => {
        const lines = linesOf(reached);
        expectPrefix(Buffer.concat([...lines.map(({ bytes }) => bytes), tail]), lines);
      }),
    );
  });

  test('ends where two writers got in each other’s way', () => {
    fc.assert(
      fc.property(
        progresses,
        progresses,
        fc.array(fc.boolean(), { maxLength: 12 }),
        (reached, others, turns) => {
          const lines = linesOf(reached);
          const [, ...foreign] = linesOf(others, { ...UPLOAD, uploadId: 'another' });
          const mixed: Buffer[] = [];
          const mine = [...lines];
          const left: typeof lines = [];
          let isAlone = true;
          const first = mine.shift();
          if (first !== undefined) {
            mixed.push(first.bytes);
            left.push(first);
          }
          for (const isMine of turns) {
            const next = isMine ? mine.shift() : foreign.shift();
            if (next === undefined) continue;
            mixed.push(next.bytes);
            isAlone &&= isMine;
            // What follows a line that does not belong here may have come from anywhere.
            if (isAlone) left.push(next);
          }
          expectPrefix(Buffer.concat(mixed), left);
        },
      ),
    );
  });

  test('is not believed where it goes back, or beyond the layer', () => {
    const at = (endByte: number): JournalledProgress => ({
      endByte,
      partCount: endByte / 10,
      savedHash: undefined,
    });
    const back = linesOf([at(20), at(10), at(30)]);
    expectPrefix(Buffer.concat(back.map(({ bytes }) => bytes)), back.slice(0, 2));
    const beyond = linesOf([at(990), at(1010)]);
    expectPrefix(Buffer.concat(beyond.map(({ bytes }) => bytes)), beyond.slice(0, 2));
  });

  test('is none at all if it is a file of somebody else', () => {
    for (const text of ['\n', 'hello\n', '{}\n', `${'0'.repeat(32)} {}\n`]) {
      expect(readJournal(Buffer.from(text))).toEqual({ kind: 'damaged' });
    }
    expect(readJournal(Buffer.alloc(5 * 1024 * 1024, 10))).toEqual({ kind: 'damaged' });
  });
});
