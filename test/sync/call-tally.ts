/** Counts what an emulator was asked, however long it goes on: its journal forgets. */

import type { Emulator, JournalEntry } from '../../src/emulator/index.ts';

export interface CallCounts {
  /** By operation, of both faces. */
  readonly calls: Readonly<Record<string, number>>;
  readonly callCount: number;
  readonly throttledCount: number;
  /** Calls that failed, by operation and exception, throttled ones aside. */
  readonly failures: Readonly<Record<string, number>>;
  /** Bodies as they were sent. */
  readonly receivedBytes: number;
  /** Uploads that were completed. */
  readonly uploadCount: number;
}

type Observed = Pick<Emulator, 'journal'>;

export class CallTally {
  readonly #calls = new Map<string, number>();
  readonly #byRepository = new Map<string, number>();
  readonly #failures = new Map<string, number>();
  #callCount = 0;
  #throttledCount = 0;
  #receivedBytes = 0;

  /** From now on. */
  constructor({ journal }: Observed) {
    const close = journal.close.bind(journal);
    journal.close = (entry, endedAtMs) => {
      if (entry.endedAtMs === undefined) this.#count(entry);
      close(entry, endedAtMs);
    };
  }

  counts(): CallCounts {
    return {
      calls: Object.fromEntries(this.#calls),
      callCount: this.#callCount,
      throttledCount: this.#throttledCount,
      failures: Object.fromEntries(this.#failures),
      receivedBytes: this.#receivedBytes,
      uploadCount:
        (this.#calls.get('CompleteLayerUpload') ?? 0) - this.#failedCount('CompleteLayerUpload'),
    };
  }

  /** Calls that name this repository. */
  callsOf(repository: string, operation: string): number {
    return this.#byRepository.get(`${repository} ${operation}`) ?? 0;
  }

  clear(): void {
    for (const counts of [this.#calls, this.#byRepository, this.#failures]) counts.clear();
    this.#callCount = 0;
    this.#throttledCount = 0;
    this.#receivedBytes = 0;
  }

  #count(entry: Readonly<JournalEntry>): void {
    const { operation = 'none', repositoryName = '', exception, bytesReceived } = entry;
    add(this.#calls, operation);
    add(this.#byRepository, `${repositoryName} ${operation}`);
    this.#receivedBytes += bytesReceived;
    this.#callCount += 1;
    if (exception === undefined) return;
    if (/throttl|toomanyrequests/i.test(exception)) this.#throttledCount += 1;
    else add(this.#failures, `${operation} ${exception}`);
  }

  #failedCount(operation: string): number {
    let count = 0;
    for (const [name, failed] of this.#failures) {
      if (name.startsWith(`${operation} `)) count += failed;
    }
    return count;
  }
}

function add(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
