/** Workers' work without workers: a digest is where it has got to, and what it is given must follow. */

import type { Digest } from '../../src/digest.ts';
import { LongshoreError } from '../../src/errors.ts';
import type {
  FileRange,
  LayerHash,
  LayerWorkshop,
  PartInput,
  PreparedPart,
} from '../../src/layer/ports.ts';
import { digestOfSize } from './model-registry.ts';
import { markAt } from './model-source.ts';

/** Bytes at the end of a body that can be held back. */
const TAIL_BYTES = 100;

type Job = 'preparePart' | 'fold' | 'digest' | 'hashFile';

export class ModelWorkshop implements LayerWorkshop {
  /** Digests that are open. */
  openCount = 0;
  /** `preparePart 0-10`, `fold 10-20`; in bytes, with the path of a file. */
  readonly jobs: string[] = [];
  /** States that digests were opened with; `undefined` for those that cannot be saved. */
  readonly portables: ({ readonly saved: Uint8Array | undefined } | undefined)[] = [];
  readonly #failing: { readonly job: Job; readonly error: Error }[] = [];

  /** The next job of this kind fails; by default its thread is lost. */
  fail(
    job: Job,
    error: Error = new LongshoreError('E_WORKER_LOST', 'a thread died', { job }),
  ): void {
    this.#failing.push({ job, error });
  }

  openHash(_label: string, portable?: { readonly saved: Uint8Array | undefined }): LayerHash {
    this.openCount += 1;
    this.portables.push(portable);
    let position = portable?.saved === undefined ? 0 : positionIn(portable.saved);
    const savedHash = (): Uint8Array | undefined =>
      portable === undefined ? undefined : savedAt(position);
    const take = (
      shared: SharedArrayBuffer,
      input: PartInput,
      first: number,
      end: number,
    ): void => {
      if (first !== position) throw new Error(`the digest is at ${position}, not ${first}`);
      position = end;
      if (input.kind === 'file') return;
      if (input.kind !== 'staged') throw new Error('neither a file nor staged');
      const staged = new Uint8Array(shared, input.offsetBytes, 1)[0];
      if (staged !== markAt(first)) throw new Error(`other bytes than those at ${first}`);
    };
    let isOpen = true;
    return {
      preparePart: async (shared, { firstByte, endByte }, input): Promise<PreparedPart> => {
        this.#begin('preparePart', firstByte, endByte, input);
        take(shared, input, firstByte, endByte);
        const saved = savedHash();
        return {
          firstByte,
          endByte,
          shared,
          bodyLengthBytes: 4 * Math.ceil((endByte - firstByte) / 3) + TAIL_BYTES,
          tailLengthBytes: TAIL_BYTES,
          bodySha256: '',
          ...(saved !== undefined && { savedHash: saved }),
        };
      },
      fold: async (shared, input, firstByte, lengthBytes) => {
        this.#begin('fold', firstByte, firstByte + lengthBytes, input);
        take(shared, input, firstByte, firstByte + lengthBytes);
        return savedHash();
      },
      digest: async () => {
        this.#failIfTold('digest');
        return digestOfSize(position);
      },
      dispose: () => {
        if (isOpen) this.openCount -= 1;
        isOpen = false;
      },
    };
  }

  async hashFile(file: FileRange, progress: SharedArrayBuffer): Promise<Digest> {
    const { path, offsetBytes, sizeBytes } = file;
    this.jobs.push(`hashFile ${path}+${offsetBytes} 0-${sizeBytes}`);
    this.#failIfTold('hashFile');
    new Float64Array(progress)[0] = sizeBytes;
    return digestOfSize(sizeBytes);
  }

  #begin(job: 'preparePart' | 'fold', firstByte: number, endByte: number, input: PartInput): void {
    const file = input.kind === 'file' ? ` ${input.path}+${input.offsetBytes}` : '';
    this.jobs.push(`${job}${file} ${firstByte}-${endByte}`);
    this.#failIfTold(job);
  }

  #failIfTold(job: Job): void {
    const position = this.#failing.findIndex((each) => each.job === job);
    const [failing] = position < 0 ? [] : this.#failing.splice(position, 1);
    if (failing !== undefined) throw failing.error;
  }
}

/** The state of a digest that has taken so many bytes in. */
export function savedAt(position: number): Uint8Array {
  return new Uint8Array(new Float64Array([position]).buffer);
}

function positionIn(saved: Uint8Array): number {
  return new Float64Array(saved.slice().buffer)[0] ?? Number.NaN;
}
