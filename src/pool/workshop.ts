/** The layer room's view of the pool: open digests, prepared parts, transmissions. */

import { type Digest, digestFromHex } from '../digest.ts';
import { LongshoreError } from '../errors.ts';
import {
  type ConnectionSettings,
  type PartTransmitter,
  type Reply,
  type RequestHead,
  TransmissionError,
} from '../layer/part-transmitter.ts';
import type {
  ByteRange,
  FileRange,
  LayerHash,
  LayerWorkshop,
  PartFraming,
  PartInput,
  PreparedPart,
} from '../layer/ports.ts';
import { sourceChanged, sourceUnreadable } from '../layer/source-errors.ts';
import type { HasherKind, HashState, JobFailure } from './job-protocol.ts';
import type { WorkerLost, WorkerPool } from './worker-pool.ts';

export class Workshop implements LayerWorkshop, PartTransmitter {
  readonly #pool: WorkerPool;
  readonly #hasherSetting: 'auto' | HasherKind;
  #hasher: Promise<HasherKind> | undefined;
  #lastKey = 0;

  constructor(pool: WorkerPool, hasher: 'auto' | HasherKind) {
    this.#pool = pool;
    this.#hasherSetting = hasher;
  }

  openHash(label: string): LayerHash {
    return new WorkerHash(this.#pool, this.#nextKey(), () => this.#chosenHasher(), label);
  }

  async hashFile(
    file: FileRange,
    progress: SharedArrayBuffer,
    signal: AbortSignal,
  ): Promise<Digest> {
    const hasher = await this.#chosenHasher();
    const id = this.#nextKey();
    const { path, offsetBytes, sizeBytes } = file;
    const result = await this.#cancellable(id, signal, () =>
      this.#pool.run(
        { kind: 'hash-file', id, path, offsetBytes, sizeBytes, hasher, progress },
        { key: id, role: 'only' },
      ),
    );
    if (!result.ok) throw sourceFailure(result.failure, 'hash-file', file.label, sizeBytes);
    return digestFromHex(result.value);
  }

  async transmit(
    part: PreparedPart,
    head: RequestHead,
    gate: Promise<void> | undefined,
    connection: ConnectionSettings,
    signal: AbortSignal,
  ): Promise<Reply> {
    signal.throwIfAborted();
    const id = this.#nextKey();
    const affinity = { key: id, role: 'follow' } as const;
    let under = true;
    const cancel = (): void => this.#pool.tell({ kind: 'cancel', id }, affinity);
    signal.addEventListener('abort', cancel, { once: true });
    void gate?.then(() => {
      if (under) this.#pool.tell({ kind: 'release', id }, affinity);
    });
    try {
      const result = await this.#pool.run(
        {
          kind: 'transmit',
          id,
          shared: part.shared,
          bodyLengthBytes: part.bodyLengthBytes,
          heldLengthBytes: gate === undefined ? 0 : part.tailLengthBytes,
          head,
          connection,
        },
        { key: id, role: 'only' },
      );
      signal.throwIfAborted();
      if (!result.ok) throw transmissionError(result.failure);
      return result.value;
    } finally {
      under = false;
      signal.removeEventListener('abort', cancel);
    }
  }

  /**
   * Reads what a URL gives, for its digest.
   * @throws TransmissionError; the signal's reason
   */
  async download(
    url: string,
    sizeBytes: number,
    connection: ConnectionSettings,
    signal: AbortSignal,
  ): Promise<{ readonly digest: Digest; readonly sizeBytes: number }> {
    const hasher = await this.#chosenHasher();
    const id = this.#nextKey();
    const result = await this.#cancellable(id, signal, () =>
      this.#pool.run(
        { kind: 'download', id, url, sizeBytes, hasher, connection },
        { key: id, role: 'only' },
      ),
    );
    if (!result.ok) throw transmissionError(result.failure);
    return { digest: digestFromHex(result.value.sha256), sizeBytes: result.value.sizeBytes };
  }

  /** Runs one long job that a cancel reaches on its thread. @throws the signal's reason */
  async #cancellable<T>(id: string, signal: AbortSignal, run: () => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    const cancel = (): void => this.#pool.tell({ kind: 'cancel', id }, { key: id, role: 'follow' });
    signal.addEventListener('abort', cancel, { once: true });
    try {
      const result = await run();
      signal.throwIfAborted();
      return result;
    } finally {
      signal.removeEventListener('abort', cancel);
    }
  }

  #nextKey(): string {
    this.#lastKey += 1;
    return String(this.#lastKey);
  }

  /** Measured once for the pool's life. */
  #chosenHasher(): Promise<HasherKind> {
    if (this.#hasherSetting !== 'auto') return Promise.resolve(this.#hasherSetting);
    this.#hasher ??= this.#pool
      .run({ kind: 'calibrate' })
      .then((result) => (result.ok ? result.value : 'native'));
    return this.#hasher;
  }
}

/** One layer's digest: on its home thread (native), or handed from job to job (WASM). */
class WorkerHash implements LayerHash {
  readonly #pool: WorkerPool;
  readonly #key: string;
  readonly #kind: () => Promise<HasherKind>;
  readonly #label: string;
  #state: HashState | undefined;
  #disposed = false;

  constructor(pool: WorkerPool, key: string, kind: () => Promise<HasherKind>, label: string) {
    this.#pool = pool;
    this.#key = key;
    this.#kind = kind;
    this.#label = label;
  }

  async preparePart(
    shared: SharedArrayBuffer,
    range: ByteRange,
    input: PartInput,
    framing: PartFraming,
  ): Promise<PreparedPart> {
    const { firstByte, endByte } = range;
    const body = await this.#fold(shared, input, firstByte, endByte - firstByte, framing);
    if (body === undefined) throw new Error('no body was built');
    return {
      firstByte,
      endByte,
      shared,
      bodyLengthBytes: body.lengthBytes,
      tailLengthBytes: body.tailLengthBytes,
      bodySha256: body.sha256,
    };
  }

  async fold(
    shared: SharedArrayBuffer,
    input: PartInput,
    firstByte: number,
    lengthBytes: number,
  ): Promise<void> {
    await this.#fold(shared, input, firstByte, lengthBytes, undefined);
  }

  async digest(): Promise<Digest> {
    const hash = await this.#currentState();
    const result = await this.#pool.run({ kind: 'digest', hash }, this.#affinity(hash));
    if (!result.ok) throw sourceFailure(result.failure, 'digest', this.#label, 0);
    return digestFromHex(result.value);
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    if (this.#state?.kind !== 'native') return;
    this.#pool.tell({ kind: 'forget-hash', key: this.#key }, { key: this.#key, role: 'last' });
  }

  async #fold(
    shared: SharedArrayBuffer,
    input: PartInput,
    firstByte: number,
    lengthBytes: number,
    framing: PartFraming | undefined,
  ) {
    const hash = await this.#currentState();
    const result = await this.#pool.run(
      { kind: 'fold', shared, input, firstByte, lengthBytes, hash, framing },
      this.#affinity(hash),
    );
    if (!result.ok) {
      throw sourceFailure(result.failure, 'fold', this.#label, firstByte + lengthBytes);
    }
    if (hash.kind === 'wasm') this.#state = { kind: 'wasm', saved: result.value.savedHash };
    return result.value.body;
  }

  async #currentState(): Promise<HashState> {
    if (this.#state !== undefined) return this.#state;
    const kind = await this.#kind();
    this.#state = kind === 'native' ? { kind, key: this.#key } : { kind, saved: undefined };
    return this.#state;
  }

  #affinity(hash: HashState) {
    return hash.kind === 'native' ? { key: this.#key } : undefined;
  }
}

function transmissionError(failure: JobFailure | WorkerLost): TransmissionError {
  switch (failure.kind) {
    case 'network':
    case 'timeout':
      return new TransmissionError(failure.kind, failure.message, failure);
    case 'worker-lost':
      return new TransmissionError('worker-lost', failure.message);
    case 'cancelled':
    case 'hash-lost':
    case 'short':
    case 'unreadable':
    case 'defect':
      return new TransmissionError('defect', failure.message);
  }
}

function sourceFailure(
  failure: JobFailure | WorkerLost,
  job: string,
  label: string,
  expectedSizeBytes: number,
): LongshoreError {
  switch (failure.kind) {
    case 'unreadable':
      return sourceUnreadable(label, new Error(failure.message), undefined, failure.systemCode);
    case 'short':
      return sourceChanged(label, expectedSizeBytes, failure.foundBytes ?? 0);
    case 'worker-lost':
    case 'hash-lost':
      return new LongshoreError(
        'E_WORKER_LOST',
        `a worker thread ended while it worked on ${label}; upload it again. If this happens ` +
          'often, the process may be short of memory',
        { job },
        { cause: new Error(failure.message) },
      );
    case 'cancelled':
    case 'network':
    case 'timeout':
    case 'defect':
      return new LongshoreError(
        'E_WORKER_LOST',
        `a worker failed at ${job} of ${label}: ${failure.message}; this is a defect of longshore`,
        { job },
      );
  }
}
