/**
 * Compresses a range of a file into another file. The same bytes, kind and level give the same output:
 * zstd on every machine, since it is the same code everywhere; gzip wherever Node has the same zlib
 * (its version, and for some processors its fast paths, differ).
 */

import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { closeFile, fill, openForReading } from './file-piece.ts';
import { writeGzip } from './gzip-stream.ts';
import { type Hasher, startHasher } from './hasher.ts';
import { JobError, systemCodeDetail } from './job-failure.ts';
import type { CompressJob, JobValue } from './job-protocol.ts';
import { writeZstd } from './zstd-stream.ts';

/** Bytes read, hashed and compressed at once; what a job holds in memory is a few of these. */
const PIECE_BYTES = 1024 * 1024;

/** @throws JobError unreadable, short, unwritable, cancelled; nothing is left of the output then */
export async function compressFile(
  job: CompressJob,
  isCancelled: () => boolean,
): Promise<JobValue['compress']> {
  const input = await startHasher(job.hasher);
  const output = await startHasher(job.hasher);
  let file: OutputFile | undefined;
  try {
    const made = new OutputFile(job.outputPath, output);
    file = made;
    const pieces = piecesOf(job, input, isCancelled);
    const { kind, level } = job.compression;
    const write = (bytes: Uint8Array): void => made.write(bytes);
    if (kind === 'gzip') await writeGzip(pieces, level, write);
    else await writeZstd(pieces, level, write);
    made.close();
    return { sha256: output.digest(), diffSha256: input.digest(), sizeBytes: made.sizeBytes };
  } catch (error) {
    file?.discard();
    throw error;
  } finally {
    input.release();
    output.release();
  }
}

async function* piecesOf(
  job: CompressJob,
  hasher: Hasher,
  isCancelled: () => boolean,
): AsyncGenerator<Buffer> {
  const { path, offsetBytes, sizeBytes } = job.input;
  const progress = new Float64Array(job.progress);
  const descriptor = openForReading(path);
  try {
    for (let position = 0; position < sizeBytes; position += PIECE_BYTES) {
      if (isCancelled()) throw new JobError({ kind: 'cancelled', message: 'cancelled' });
      const lengthBytes = Math.min(PIECE_BYTES, sizeBytes - position);
      // A new one each time: whoever compresses may still hold the last one.
      const piece = Buffer.allocUnsafeSlow(lengthBytes);
      fill(descriptor, piece, lengthBytes, position, offsetBytes);
      hasher.update(piece);
      yield piece;
      progress[0] = position + lengthBytes;
    }
  } finally {
    closeFile(descriptor);
  }
}

/** A file in the making that is hashed as it is written. */
class OutputFile {
  readonly #path: string;
  readonly #hasher: Hasher;
  readonly #descriptor: number;
  #sizeBytes = 0;
  #isOpen = true;

  constructor(path: string, hasher: Hasher) {
    this.#path = path;
    this.#hasher = hasher;
    this.#descriptor = attempt(() => openSync(path, 'wx', 0o600));
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  write(bytes: Uint8Array): void {
    this.#hasher.update(bytes);
    let written = 0;
    while (written < bytes.length) {
      written += attempt(() => writeSync(this.#descriptor, bytes, written));
    }
    this.#sizeBytes += bytes.length;
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    attempt(() => closeSync(this.#descriptor));
  }

  discard(): void {
    try {
      this.close();
    } finally {
      rmSync(this.#path, { force: true });
    }
  }
}

function attempt<T>(write: () => T): T {
  try {
    return write();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new JobError({ kind: 'unwritable', message, ...systemCodeDetail(error) });
  }
}
