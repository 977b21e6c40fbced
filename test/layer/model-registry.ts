/** A registry in memory that goes by ECR's rules, unless it is told to answer otherwise. */

import { abortable } from '../../src/abort.ts';
import type { Digest } from '../../src/digest.ts';
import { type ErrorCode, LongshoreError } from '../../src/errors.ts';
import { writeWiredBytes } from '../../src/layer/part-memory.ts';
import { writePhase } from '../../src/layer/part-phase.ts';
import {
  type FaultKind,
  type LayerRegistry,
  type PreparedPart,
  RegistryFault,
  type UploadTarget,
} from '../../src/layer/ports.ts';
import { MIB } from '../../src/limits.ts';

export const REPOSITORY = 'team/app';

/** What the registry of this model says a part should have. */
export const REPORTED_PART_BYTES: number = 10 * MIB;

/** Layers of the model differ by their size alone. */
export function digestOfSize(sizeBytes: number): Digest {
  return `sha256:${sizeBytes.toString(16).padStart(64, '0')}`;
}

export function faultOf(
  kind: FaultKind,
  code: ErrorCode,
  extra: { readonly nextByte?: number; readonly retryAfterMs?: number } = {},
  details: object = {},
): RegistryFault {
  const error = new LongshoreError(code, `${code} by the test`, details);
  return new RegistryFault(kind, error, extra);
}

type Call = keyof LayerRegistry;

/** Instead of the registry's own answer; `own` gives that one. */
type Answer<C extends Call> =
  | RegistryFault
  | ((
      own: () => ReturnType<LayerRegistry[C]>,
      ...call: Parameters<LayerRegistry[C]>
    ) => ReturnType<LayerRegistry[C]>);

export class ModelRegistry implements LayerRegistry {
  /** In the order in which they came: `initiateUpload`, `sendPart 0-5`; in MiB. */
  readonly calls: string[] = [];
  readonly repositories: Set<string> = new Set([REPOSITORY]);
  /** As `repository@digest`. */
  readonly layers: Set<string> = new Set();
  /** First byte that is missing, of each open upload. */
  readonly uploads: Map<string, number> = new Map();
  readonly #answers: { readonly call: Call; readonly answer: unknown }[] = [];
  #uploadCount = 0;

  /** The next calls of this kind are answered so. */
  answer<C extends Call>(call: C, ...answers: Answer<C>[]): void {
    for (const answer of answers) this.#answers.push({ call, answer });
  }

  /** How often it was asked. */
  countOf(call: Call): number {
    return this.calls.filter((each) => each.startsWith(call)).length;
  }

  hasLayer(...call: Parameters<LayerRegistry['hasLayer']>): Promise<boolean> {
    const [repository, digest] = call;
    return this.#answered('hasLayer', '', call, async () => {
      this.#assertRepository(repository);
      return this.layers.has(`${repository}@${digest}`);
    });
  }

  createRepository(...call: Parameters<LayerRegistry['createRepository']>): Promise<boolean> {
    const [repository] = call;
    return this.#answered('createRepository', '', call, async () => {
      const isNew = !this.repositories.has(repository);
      this.repositories.add(repository);
      return isNew;
    });
  }

  initiateUpload(
    ...call: Parameters<LayerRegistry['initiateUpload']>
  ): ReturnType<LayerRegistry['initiateUpload']> {
    const [repository] = call;
    return this.#answered('initiateUpload', '', call, async () => {
      this.#assertRepository(repository);
      this.#uploadCount += 1;
      const uploadId = `upload ${this.#uploadCount}`;
      this.uploads.set(uploadId, 0);
      return { uploadId, partSizeBytes: REPORTED_PART_BYTES };
    });
  }

  sendPart(...call: Parameters<LayerRegistry['sendPart']>): Promise<number> {
    const [target, part, gate, signal] = call;
    const range = `${part.firstByte / MIB}-${part.endByte / MIB}`;
    return this.#answered('sendPart', ` ${range}`, call, async () => {
      signal.throwIfAborted();
      const { shared, bodyLengthBytes, tailLengthBytes } = part;
      writePhase(shared, gate === undefined ? 'reply' : 'predecessor');
      writeWiredBytes(shared, bodyLengthBytes - tailLengthBytes);
      if (gate !== undefined) await abortable(gate, signal);
      writeWiredBytes(shared, bodyLengthBytes);
      writePhase(shared, 'reply');
      return this.#take(target, part);
    });
  }

  completeUpload(...call: Parameters<LayerRegistry['completeUpload']>): Promise<Digest> {
    const [{ repository, uploadId }, expected] = call;
    return this.#answered('completeUpload', '', call, async () => {
      const digest = digestOfSize(this.#endOf(uploadId));
      if (digest !== expected) throw faultOf('final', 'E_LAYER_REJECTED');
      const key = `${repository}@${digest}`;
      if (this.layers.has(key)) throw faultOf('already-exists', 'E_LAYER_REJECTED');
      this.layers.add(key);
      this.uploads.delete(uploadId);
      return digest;
    });
  }

  #take({ uploadId }: UploadTarget, { firstByte, endByte }: PreparedPart): number {
    const nextByte = this.#endOf(uploadId);
    if (firstByte !== nextByte) {
      throw faultOf('part-out-of-order', 'E_PART_REJECTED', { nextByte });
    }
    this.uploads.set(uploadId, endByte);
    return endByte - 1;
  }

  #endOf(uploadId: string): number {
    const endByte = this.uploads.get(uploadId);
    if (endByte === undefined) throw faultOf('upload-lost', 'E_UPLOAD_LOST');
    return endByte;
  }

  #assertRepository(repository: string): void {
    if (!this.repositories.has(repository)) {
      throw faultOf('repository-missing', 'E_REPOSITORY_NOT_FOUND');
    }
  }

  async #answered<C extends Call>(
    name: C,
    what: string,
    call: Parameters<LayerRegistry[C]>,
    own: () => ReturnType<LayerRegistry[C]>,
  ): Promise<Awaited<ReturnType<LayerRegistry[C]>>> {
    this.calls.push(`${name}${what}`);
    const position = this.#answers.findIndex((each) => each.call === name);
    const [next] = position < 0 ? [] : this.#answers.splice(position, 1);
    const answer = next?.answer as Answer<C> | undefined;
    if (answer instanceof RegistryFault) throw answer;
    return await (answer === undefined ? own() : answer(own, ...call));
  }
}
