/** Ways to feed a digest: pieces of several sizes, and two layers by turns. */

import { createHash } from 'node:crypto';
import { createSHA256 } from 'hash-wasm';
import type { MicroTask } from './micro-bench.ts';

const KIB = 1024;
const PIECE_SIZES_BYTES: readonly number[] = [48 * KIB, 1024 * KIB, 10_240 * KIB];
/** What longshore hashes at once. */
const TURN_SIZE_BYTES: number = 48 * KIB;
/** hash-wasm's own buffer in its memory (its `MAX_HEAP`). */
const COPY_SIZE_BYTES: number = 16 * KIB;

interface Digester {
  update(bytes: Uint8Array): unknown;
}

/** Smallest pieces first, then the copies that hash-wasm makes of them, alone. */
export async function feedingTasks(bytes: Buffer): Promise<MicroTask[]> {
  const wasm = await createSHA256();
  const sizeBytes = bytes.length;
  const memory = new Uint8Array(COPY_SIZE_BYTES);
  return [
    ...PIECE_SIZES_BYTES.map((pieceSizeBytes): MicroTask => ({
      name: `hash-wasm, ${pieceSizeBytes / KIB} KiB at once`,
      sizeBytes,
      work: () => {
        wasm.init();
        forEachPiece(bytes, pieceSizeBytes, (piece) => wasm.update(piece));
        return wasm.digest('hex');
      },
    })),
    {
      name: 'for scale: only the copies, 16 KiB at once',
      sizeBytes,
      work: () => forEachPiece(bytes, COPY_SIZE_BYTES, (piece) => memory.set(piece)),
    },
    {
      name: 'for scale: node:crypto, 48 KiB at once',
      sizeBytes,
      work: () => {
        const hash = createHash('sha256');
        forEachPiece(bytes, TURN_SIZE_BYTES, (piece) => hash.update(piece));
        return hash.digest('hex');
      },
    },
  ];
}

/** hash-wasm: one after another, by turns, by turns in one instance; then node:crypto's two. */
export async function layersInTurnTasks(layer: Buffer): Promise<MicroTask[]> {
  const [first, second] = [await createSHA256(), await createSHA256()];
  const sizeBytes = 2 * layer.length;
  const oneAfterAnother = (digesters: readonly Digester[]): void => {
    for (const digester of digesters) {
      forEachPiece(layer, TURN_SIZE_BYTES, (piece) => digester.update(piece));
    }
  };
  const byTurns = (digesters: readonly Digester[]): void =>
    forEachPiece(layer, TURN_SIZE_BYTES, (piece) => {
      for (const digester of digesters) digester.update(piece);
    });
  return [
    {
      name: 'hash-wasm, one after another',
      sizeBytes,
      work: () => oneAfterAnother([first.init(), second.init()]),
    },
    {
      name: 'hash-wasm, by turns, an instance each',
      sizeBytes,
      work: () => byTurns([first.init(), second.init()]),
    },
    {
      name: 'hash-wasm, by turns, one instance',
      sizeBytes,
      work: () => {
        const states = [first.init().save(), first.init().save()];
        forEachPiece(layer, TURN_SIZE_BYTES, (piece) => {
          for (const [index, state] of states.entries()) {
            states[index] = first.load(state).update(piece).save();
          }
        });
      },
    },
    {
      name: 'node:crypto, one after another',
      sizeBytes,
      work: () => oneAfterAnother([createHash('sha256'), createHash('sha256')]),
    },
    {
      name: 'node:crypto, by turns',
      sizeBytes,
      work: () => byTurns([createHash('sha256'), createHash('sha256')]),
    },
  ];
}

function forEachPiece(
  bytes: Buffer,
  pieceSizeBytes: number,
  take: (piece: Buffer) => unknown,
): void {
  for (let start = 0; start < bytes.length; start += pieceSizeBytes) {
    take(bytes.subarray(start, start + pieceSizeBytes));
  }
}
