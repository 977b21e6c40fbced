/** A thread that tells which input a target does not come back from: nothing else could. */

import { Worker } from 'node:worker_threads';
import { INPUT_BYTES_MAX } from './fuzz-target.ts';

/** Beyond what any slow machine takes for an input that is borne. */
const STUCK_MS = 20_000;
const HEAD_BYTES = 8;

const PROGRAM = `
  const { workerData: { shared, name, stuckMs } } = require('node:worker_threads');
  const head = new Int32Array(shared, 0, 2);
  for (;;) {
    const run = Atomics.load(head, 0);
    if (Atomics.wait(head, 0, run, stuckMs) !== 'timed-out' || Atomics.load(head, 1) < 0) continue;
    const input = Buffer.from(shared, ${HEAD_BYTES}, Atomics.load(head, 1)).toString('base64');
    const again = 'LONGSHORE_FUZZ_INPUT=' + input + " npx vitest run test/fuzz -t '" + name + "'";
    require('node:fs').writeSync(2, name + ' does not come back; again: ' + again + '\\n');
    process.kill(process.pid, 'SIGKILL');
  }
`;

export class Watchdog {
  readonly #shared = new SharedArrayBuffer(HEAD_BYTES + INPUT_BYTES_MAX);
  /** How many inputs there were, and the length of the one under way; -1 for none. */
  readonly #head = new Int32Array(this.#shared, 0, 2);
  readonly #worker: Worker;

  constructor(name: string) {
    const workerData = { shared: this.#shared, name, stuckMs: STUCK_MS };
    this.#head[1] = -1;
    this.#worker = new Worker(PROGRAM, { eval: true, workerData });
    this.#worker.unref();
  }

  begin(input: Uint8Array): void {
    new Uint8Array(this.#shared, HEAD_BYTES).set(input.subarray(0, INPUT_BYTES_MAX));
    this.#tell(input.length);
  }

  end(): void {
    this.#tell(-1);
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #tell(lengthBytes: number): void {
    Atomics.store(this.#head, 1, lengthBytes);
    Atomics.add(this.#head, 0, 1);
    Atomics.notify(this.#head, 0);
  }
}
