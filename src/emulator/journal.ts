/** What happened on the wire: a bounded ring of requests, for tests and for people. */

import { JOURNAL_ENTRIES_MAX } from './emulator-limits.ts';
import type { OperationName } from './operation-name.ts';

/** The door a request came through: ECR's JSON API or the OCI distribution API below `/v2/`. */
export type Face = 'api' | 'v2';

/**
 * One request to the API, or one of the calls that a `/v2` request is translated to: a body of three
 * parts is three entries. Of several the last has the status of the reply, those before it 200.
 */
export interface JournalEntry {
  /** Order of arrival, from 1, never reused. */
  readonly sequence: number;
  readonly face: Face;
  /** Method and path of a `/v2` request, without its query. */
  readonly request?: string;
  /** Undefined for a request that names no operation of ECR, or needs none, as `GET /v2/`. */
  readonly operation: OperationName | undefined;
  /** Connections are numbered from 1; 0 is the in-process request handler. */
  readonly connectionId: number;
  readonly repositoryName?: string;
  readonly uploadId?: string;
  /** As on the wire: `partFirstByte` and the inclusive `partLastByte`. */
  readonly firstByte?: number;
  readonly lastByte?: number;
  /** Body bytes received, as sent. */
  readonly bytesReceived: number;
  /** Undefined while in progress, and for a request that never got an answer. */
  readonly statusCode?: number;
  /** Name of the exception; for a refusal of the `/v2` face alone its code. */
  readonly exception?: string;
  /** Clock of the emulator, milliseconds. */
  readonly startedAtMs: number;
  /** When the last body byte was received. */
  readonly receivedAtMs?: number;
  readonly endedAtMs?: number;
}

/** The journal's own hold on an entry that is still in progress. */
export type OpenEntry = { -readonly [Member in keyof JournalEntry]: JournalEntry[Member] };

/** What is known of a request when it starts. */
export type EntryStart = Pick<
  JournalEntry,
  'face' | 'operation' | 'connectionId' | 'startedAtMs' | 'request'
>;

/** Members that every entry found must have; `exception: undefined` asks for successes. */
export type JournalQuery = Partial<
  Pick<
    JournalEntry,
    | 'face'
    | 'operation'
    | 'connectionId'
    | 'repositoryName'
    | 'uploadId'
    | 'statusCode'
    | 'exception'
  >
>;

export class RequestJournal {
  readonly #entries: OpenEntry[] = [];
  readonly #concurrency: Map<OperationName, { current: number; maximum: number }> = new Map();
  #sequence = 0;
  /** Index of the oldest entry once the ring is full. */
  #oldest = 0;

  /** Entries in order of arrival, the last 20,000 at most. */
  entries(query: JournalQuery = {}): readonly JournalEntry[] {
    const ordered = [...this.#entries.slice(this.#oldest), ...this.#entries.slice(0, this.#oldest)];
    const wanted = Object.entries(query);
    return ordered
      .filter((entry) =>
        wanted.every(([member, value]) => entry[member as keyof JournalQuery] === value),
      )
      .map((entry) => Object.freeze({ ...entry }));
  }

  count(query: JournalQuery = {}): number {
    return this.entries(query).length;
  }

  /** Most requests of this operation in progress at once since the last `clear`. */
  maximumConcurrency(operation: OperationName): number {
    return this.#concurrency.get(operation)?.maximum ?? 0;
  }

  /** Forgets all entries; requests in progress still count for the concurrency. */
  clear(): void {
    this.#entries.length = 0;
    this.#oldest = 0;
    for (const gauge of this.#concurrency.values()) gauge.maximum = gauge.current;
  }

  /** For the emulator itself. */
  open(start: EntryStart): OpenEntry {
    this.#sequence += 1;
    const { operation } = start;
    const entry: OpenEntry = { sequence: this.#sequence, ...start, bytesReceived: 0 };
    if (this.#entries.length < JOURNAL_ENTRIES_MAX) {
      this.#entries.push(entry);
    } else {
      this.#entries[this.#oldest] = entry;
      this.#oldest = (this.#oldest + 1) % JOURNAL_ENTRIES_MAX;
    }
    if (operation !== undefined) {
      const gauge = this.#concurrency.get(operation) ?? { current: 0, maximum: 0 };
      gauge.current += 1;
      gauge.maximum = Math.max(gauge.maximum, gauge.current);
      this.#concurrency.set(operation, gauge);
    }
    return entry;
  }

  /** For the emulator itself. */
  close(entry: OpenEntry, endedAtMs: number): void {
    if (entry.endedAtMs !== undefined) return;
    entry.endedAtMs = endedAtMs;
    if (entry.operation === undefined) return;
    const gauge = this.#concurrency.get(entry.operation);
    if (gauge !== undefined) gauge.current -= 1;
  }
}

/** Notes what a request's input, or the output of an Initiate, says about it. */
export function noteMembers(entry: OpenEntry, members: Readonly<Record<string, unknown>>): void {
  const { repositoryName, uploadId, partFirstByte, partLastByte } = members;
  if (typeof repositoryName === 'string') entry.repositoryName = repositoryName;
  if (typeof uploadId === 'string') entry.uploadId = uploadId;
  if (typeof partFirstByte === 'number') entry.firstByte = partFirstByte;
  if (typeof partLastByte === 'number') entry.lastByte = partLastByte;
}
