/** The layer room's view of the pool: open digests, prepared parts, transmissions, whole files. */

import { type Digest, digestFromHex } from '../digest.ts';
import type { CompressedLayer, Compression } from '../image/image-source.ts';
import type {
  ConnectionSettings,
  PartTransmitter,
  Reply,
  RequestHead,
} from '../layer/part-transmitter.ts';
import { writePhase } from '../layer/part-phase.ts';
import type { FileRange, LayerHash, LayerWorkshop, PreparedPart } from '../layer/ports.ts';
import { sourceFailure, transmissionError } from './failure-meaning.ts';
import type { HasherKind, HashState } from './job-protocol.ts';
import { WorkerHash } from './worker-hash.ts';
import type { WorkerPool } from './worker-pool.ts';

export class Workshop implements LayerWorkshop, PartTransmitter {
  readonly #pool: WorkerPool;
  readonly #hasherSetting: 'auto' | HasherKind;
  #hasher: Promise<HasherKind> | undefined;
  #lastKey = 0;

  constructor(pool: WorkerPool, hasher: 'auto' | HasherKind) {
    this.#pool = pool;
    this.#hasherSetting = hasher;
  }

  /** Starts the threads ahead of the first job. */
  warm(): void {
    this.#pool.warm();
  }

  openHash(label: string, portable?: { readonly saved: Uint8Array | undefined }): LayerHash {
    const begin = async (key: string): Promise<HashState> => {
      if (portable !== undefined) return { kind: 'wasm', saved: portable.saved };
      const kind = await this.#chosenHasher();
      return kind === 'native' ? { kind, key } : { kind, saved: undefined };
    };
    return new WorkerHash(this.#pool, this.#nextKey(), begin, label);
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
    writePhase(part.shared, 'worker');
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
   * Compresses a range of a file into a new file.
   * @throws LongshoreError E_SOURCE_UNREADABLE, E_SOURCE_CHANGED, E_TEMPORARY_UNWRITABLE, ...; the
   * signal's reason
   */
  async compress(
    input: FileRange,
    outputPath: string,
    compression: Required<Compression>,
    progress: SharedArrayBuffer,
    signal: AbortSignal,
  ): Promise<CompressedLayer> {
    const hasher = await this.#chosenHasher();
    const id = this.#nextKey();
    const { path, offsetBytes, sizeBytes, label } = input;
    const range = { path, offsetBytes, sizeBytes };
    const result = await this.#cancellable(id, signal, () =>
      this.#pool.run(
        { kind: 'compress', id, input: range, outputPath, compression, hasher, progress },
        { key: id, role: 'only' },
      ),
    );
    if (!result.ok) throw sourceFailure(result.failure, 'compress', label, sizeBytes);
    const { sha256, diffSha256, sizeBytes: compressedBytes } = result.value;
    const diffId = digestFromHex(diffSha256);
    return { path: outputPath, digest: digestFromHex(sha256), sizeBytes: compressedBytes, diffId };
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
