import { type Digest, digestFromHex } from '../digest.ts';
import type { ByteRange, LayerHash, PartFraming, PartInput, PreparedPart } from '../layer/ports.ts';
import { sourceFailure } from './failure-meaning.ts';
import type { HasherKind, HashState } from './job-protocol.ts';
import type { WorkerPool } from './worker-pool.ts';

/** One layer's digest: on its home thread (native), or handed from job to job (WASM). */
export class WorkerHash implements LayerHash {
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
