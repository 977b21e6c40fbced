/**
 * One pass over a part's bytes: fold them into the layer's digest, write them as base64 between the
 * prefix and the suffix of the request body, and hash that body for its signature. The passes are
 * fused piece by piece, so that each byte is still in the cache when it is needed again.
 */

import { createHash, type Hash } from 'node:crypto';
import { PART_HEADER_BYTES } from '../layer/part-memory.ts';
import type { PartFraming, PartInput } from '../layer/ports.ts';
import { closeFile, fill, openForReading } from './file-piece.ts';
import { type Hasher, resumeHasher } from './hasher.ts';
import { JobError } from './job-failure.ts';
import type { FoldJob, JobValue } from './job-protocol.ts';

/**
 * Bytes encoded at once. A multiple of three, so that base64 is padded only at the very end, and
 * small enough for the strings in between to stay out of V8's large-object space, which costs four
 * times as much.
 */
const PIECE_BYTES = 48 * 1024;
/** Bytes read from a file at once; a multiple of the piece. */
const READ_BYTES = 16 * PIECE_BYTES;
/** Bytes after which the worker's event loop has a turn, so that other parts keep flowing. */
const TURN_BYTES = 2 * READ_BYTES;

/** Node's internal, long-standing fast paths; typed here because @types/node leaves them out. */
interface FastBuffer extends Buffer {
  base64Slice(start: number, end: number): string;
  latin1Write(text: string, offset: number): number;
}

let scratch: FastBuffer | undefined;

export async function fold(job: FoldJob): Promise<JobValue['fold']> {
  const hasher = await resumeHasher(job.hash, job.firstByte);
  try {
    const body = job.framing === undefined ? undefined : new BodyWriter(job.shared, job.framing);
    await forEachPiece(job, (source, start, end) => {
      hasher.update(source.subarray(start, end));
      body?.write(source, start, end);
    });
    return { savedHash: hasher.save(), body: body?.finish() };
  } finally {
    hasher.release();
  }
}

/** SHA-256 of a range of a file, hexadecimal. `isCancelled` is asked several times a second. */
export async function hashFile(
  file: { readonly path: string; readonly offsetBytes: number; readonly sizeBytes: number },
  hasher: Hasher,
  onProgress: (bytes: number) => void,
  isCancelled: () => boolean,
): Promise<string> {
  const { path, offsetBytes, sizeBytes } = file;
  const input = { kind: 'file', path, offsetBytes } as const;
  let doneBytes = 0;
  await forEachPiece({ input, firstByte: 0, lengthBytes: sizeBytes }, (source, start, end) => {
    if (isCancelled()) throw new JobError({ kind: 'cancelled', message: 'cancelled' });
    hasher.update(source.subarray(start, end));
    doneBytes += end - start;
    onProgress(doneBytes);
  });
  return hasher.digest();
}

type OnPiece = (source: FastBuffer, start: number, end: number) => void;

async function forEachPiece(
  job: Pick<FoldJob, 'input' | 'firstByte' | 'lengthBytes'> & {
    readonly shared?: SharedArrayBuffer;
  },
  onPiece: OnPiece,
): Promise<void> {
  const { input, lengthBytes } = job;
  if (input.kind === 'file') {
    await forEachPieceOfFile(input, job.firstByte, lengthBytes, onPiece);
    return;
  }
  if (job.shared === undefined) throw new Error('staged bytes without memory');
  const staged = fast(Buffer.from(job.shared, input.offsetBytes, lengthBytes));
  for (let turn = 0; turn < lengthBytes; turn += TURN_BYTES) {
    if (turn > 0) await nextTurn();
    cut(staged, turn, Math.min(turn + TURN_BYTES, lengthBytes), onPiece);
  }
}

async function forEachPieceOfFile(
  { path, offsetBytes }: Extract<PartInput, { kind: 'file' }>,
  firstByte: number,
  lengthBytes: number,
  onPiece: OnPiece,
): Promise<void> {
  const descriptor = openForReading(path);
  try {
    let doneBytes = 0;
    while (doneBytes < lengthBytes) {
      if (doneBytes > 0 && doneBytes % TURN_BYTES === 0) await nextTurn();
      // Used up before the next turn, so all jobs of a worker share it.
      scratch ??= fast(Buffer.allocUnsafeSlow(READ_BYTES));
      const wanted = Math.min(READ_BYTES, lengthBytes - doneBytes);
      fill(descriptor, scratch, wanted, firstByte + doneBytes, offsetBytes);
      cut(scratch, 0, wanted, onPiece);
      doneBytes += wanted;
    }
  } finally {
    closeFile(descriptor);
  }
}

function cut(source: FastBuffer, start: number, end: number, onPiece: OnPiece): void {
  for (let piece = start; piece < end; piece += PIECE_BYTES) {
    onPiece(source, piece, Math.min(piece + PIECE_BYTES, end));
  }
}

/** Writes a request body into a part's memory and hashes it on the way. */
class BodyWriter {
  readonly #body: FastBuffer;
  readonly #hash: Hash = createHash('sha256');
  readonly #suffix: string;
  #lengthBytes = 0;

  constructor(shared: SharedArrayBuffer, framing: PartFraming) {
    this.#body = fast(Buffer.from(shared, PART_HEADER_BYTES));
    this.#suffix = framing.suffix;
    this.#append(framing.prefix);
  }

  write(source: FastBuffer, start: number, end: number): void {
    this.#append(source.base64Slice(start, end));
  }

  finish(): NonNullable<JobValue['fold']['body']> {
    this.#append(this.#suffix);
    return {
      lengthBytes: this.#lengthBytes,
      tailLengthBytes: this.#suffix.length,
      sha256: this.#hash.digest('hex'),
    };
  }

  /** Repository names, ids, numbers and base64 are all ASCII, so one character is one byte. */
  #append(text: string): void {
    const start = this.#lengthBytes;
    this.#lengthBytes += this.#body.latin1Write(text, start);
    this.#hash.update(this.#body.subarray(start, this.#lengthBytes));
  }
}

function fast(buffer: Buffer): FastBuffer {
  return buffer as FastBuffer;
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
