import { type Digest, digestFromHex } from '../digest.ts';
import type { ByteRange, LayerHash, PartFraming, PartInput, PreparedPart } from '../layer/ports.ts';
import { sourceFailure } from './failure-meaning.ts';
import type { HashState } from './job-protocol.ts';
import type { WorkerPool } from './worker-pool.ts';

/** One layer's digest: on its home thread (native), or handed from job to job (WASM). */
export class WorkerHash implements LayerHash {
  readonly #pool: WorkerPool;
  readonly #key: string;
  readonly #begin: (key: string) => Promise<HashState>;
  readonly #label: string;
  #state: HashState | undefined;
  #disposed = false;

  /** @param begin gives the state before the first byte that is folded here */
  constructor(
    pool: WorkerPool,
    key: string,
    begin: (key: string) => Promise<HashState>,
    label: string,
  ) {
    this.#pool = pool;
    this.#key = key;
    this.#begin = begin;
    this.#label = label;
  }

  async preparePart(
    shared: SharedArrayBuffer,
    range: ByteRange,
    input: PartInput,
    framing: PartFraming,
  ): Promise<PreparedPart> {
    const { firstByte, endByte } = range;
    const lengthBytes = endByte - firstByte;
    const { body, savedHash } = await this.#fold(shared, input, firstByte, lengthBytes, framing);
    if (body === undefined) throw new Error('no body was built');
    return {
      firstByte,
      endByte,
      shared,
      bodyLengthBytes: body.lengthBytes,
      tailLengthBytes: body.tailLengthBytes,
      bodySha256: body.sha256,
      ...(savedHash !== undefined && { savedHash }),
    };
  }

  async fold(
    shared: SharedArrayBuffer,
    input: PartInput,
    firstByte: number,
    lengthBytes: number,
  ): Promise<Uint8Array | undefined> {
    return (await this.#fold(shared, input, firstByte, lengthBytes, undefined)).savedHash;
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
    return result.value;
  }

  async #currentState(): Promise<HashState> {
    this.#state ??= await this.#begin(this.#key);
    return this.#state;
  }

  #affinity(hash: HashState) {
    return hash.kind === 'native' ? { key: this.#key } : undefined;
  }
}
