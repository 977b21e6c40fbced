import { describe, expect, test } from 'vitest';
import { headerLine, readJournal } from '../../src/journal/journal-text.ts';
import { type JournalFile, JournalWriter } from '../../src/journal/journal-writer.ts';
import type { JournalledProgress } from '../../src/layer/layer-journal.ts';

const HEADER = headerLine('team/app', {
  uploadId: 'one',
  partSizeBytes: 10,
  sizeBytes: undefined,
  file: undefined,
});

function at(partCount: number): JournalledProgress {
  return { endByte: partCount * 10, partCount, savedHash: undefined };
}

/** A disk whose syncs end when the test says so. */
class SlowFile implements JournalFile {
  text = HEADER.text;
  readonly syncs: ((error?: Error) => void)[] = [];
  isClosed = false;

  appendFile(data: unknown): Promise<void> {
    this.text += String(data);
    return Promise.resolve();
  }

  datasync(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.syncs.push((error) => (error === undefined ? resolve() : reject(error)));
    });
  }

  close(): Promise<void> {
    this.isClosed = true;
    return Promise.resolve();
  }

  get lineCount(): number {
    return this.text.split('\n').length - 1;
  }
}

async function nextTurn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

describe('a journal on a slow disk', () => {
  test('has one write at a time, and keeps only the furthest point for the next', async () => {
    const file = new SlowFile();
    const writer = new JournalWriter(file, HEADER.checksum, (error) =>
      expect(error).toBe(undefined),
    );
    for (let part = 1; part <= 50; part += 1) writer.note(at(part));
    await nextTurn();
    expect(file.syncs).toHaveLength(1);
    writer.note(at(51));
    file.syncs.shift()?.();
    await nextTurn();
    expect(file.syncs).toHaveLength(1);
    expect(file.lineCount).toBeLessThanOrEqual(3);
    expect(readJournal(Buffer.from(file.text))).toMatchObject({ progress: at(51) });
  });

  test('writes what was noted before it is closed, and nothing after', async () => {
    const file = new SlowFile();
    const writer = new JournalWriter(file, HEADER.checksum, () => undefined);
    writer.note(at(1));
    writer.note(at(2));
    const closed = writer.close();
    writer.note(at(3));
    while (!file.isClosed) {
      await nextTurn();
      file.syncs.shift()?.();
    }
    await closed;
    await writer.close();
    expect(readJournal(Buffer.from(file.text))).toMatchObject({ progress: at(2) });
  });
});

test('a journal on a full disk is given up, once, and what stands in it holds', async () => {
  const file = new SlowFile();
  const failures: unknown[] = [];
  const writer = new JournalWriter(file, HEADER.checksum, (error) => failures.push(error));
  writer.note(at(1));
  await nextTurn();
  writer.note(at(2));
  file.syncs.shift()?.(new Error('ENOSPC'));
  await nextTurn();
  writer.note(at(3));
  await writer.close();
  expect(failures).toEqual([new Error('ENOSPC')]);
  expect(file.isClosed).toBe(true);
  expect(readJournal(Buffer.from(file.text))).toMatchObject({ progress: at(1) });
});
