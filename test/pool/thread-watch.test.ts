import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ThreadWatch } from '../../src/pool/thread-watch.ts';
import { WorkerPool } from '../../src/pool/worker-pool.ts';

interface Question {
  readonly threadId: number;
  readonly signal: AbortSignal;
  readonly answer: () => void;
}

function watchOf(threadIds: readonly number[]): { watch: ThreadWatch; questions: Question[] } {
  const questions: Question[] = [];
  const watch = new ThreadWatch(
    {
      threadIds: () => threadIds,
      ask: (threadId, signal) =>
        new Promise<void>((answer) => {
          questions.push({ threadId, signal, answer });
        }),
    },
    // Turns are told, not timed.
    0,
  );
  return { watch, questions };
}

function turns(watch: ThreadWatch, count: number): void {
  for (let turn = 0; turn < count; turn += 1) watch.turn();
}

describe('a thread', () => {
  test('that misses twelve turns is ended, and only that one', async () => {
    const { watch, questions } = watchOf([1, 2]);
    watch.turn();
    expect(questions.map(({ threadId }) => threadId)).toEqual([1, 2]);
    questions[1]?.answer();
    await Promise.resolve();
    turns(watch, 11);
    expect(questions[0]?.signal.aborted).toBe(false);
    watch.turn();
    expect(questions[0]?.signal.aborted).toBe(true);
    expect(questions.slice(1).some(({ signal }) => signal.aborted)).toBe(false);
  });

  test('that answers late, but in time, is asked anew', async () => {
    const { watch, questions } = watchOf([1]);
    turns(watch, 12);
    questions[0]?.answer();
    await Promise.resolve();
    turns(watch, 12);
    expect(questions).toHaveLength(2);
    expect(questions.some(({ signal }) => signal.aborted)).toBe(false);
  });

  test('is not blamed for turns before the work has ended', () => {
    const { watch, questions } = watchOf([1]);
    turns(watch, 12);
    watch.stop();
    turns(watch, 12);
    expect(questions).toHaveLength(2);
    expect(questions.some(({ signal }) => signal.aborted)).toBe(false);
  });
});

test('a thread that is blocked loses its jobs, and another one takes its place', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'longshore-'));
  try {
    const path = join(folder, 'blocked.worker.mjs');
    const real = new URL('../../dist/workers/layer.worker.js', import.meta.url).href;
    writeFileSync(
      path,
      `import { run as runJob } from ${JSON.stringify(real)};
       import { existsSync, writeFileSync } from 'node:fs';
       export function run(job) {
         const note = ${JSON.stringify(join(folder, 'blocked'))};
         if (job.kind === 'calibrate' && !existsSync(note)) {
           writeFileSync(note, '');
           for (;;);
         }
         return runJob(job);
       }`,
    );
    const pool = new WorkerPool(1, path, 600);
    expect(await pool.run({ kind: 'calibrate' })).toMatchObject({
      ok: false,
      failure: { kind: 'worker-lost' },
    });
    expect(await pool.run({ kind: 'calibrate' })).toMatchObject({ ok: true });
    await pool.close();
  } finally {
    rmSync(folder, { recursive: true });
  }
});
