/**
 * The floor of preparing: what cannot be avoided for a part, each stage measured alone on one
 * thread, with reused buffers and nothing around it. Sends nothing.
 */

import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import type { Job, LayerFile, Outcome } from '../harness/protocol.ts';
import { encodeInPieces } from '../micro/base64-piece.ts';
import { measureContestant } from '../programs/measured-run.ts';

const PIECE_SIZE_BYTES = 48 * 1024;

measureContestant(async (job) => async () => runStages(job));

function runStages({ layers, partSizeBytes }: Job): Outcome {
  if (partSizeBytes === undefined) throw new Error('the stages have to be told the part size');
  const part = Buffer.alloc(partSizeBytes);
  const body = Buffer.alloc(Math.ceil(partSizeBytes / 3) * 4);
  let layerBytes = 0;
  let readMs = 0;
  let layerHashMs = 0;
  let encodeMs = 0;
  for (const layer of layers) {
    const layerHash = createHash('sha256');
    readMs += cpuMsOf(() => {
      layerBytes += readParts(layer, part);
    });
    // The parts were read above: here the same resident bytes go through, part by part.
    const partCount = Math.ceil(layer.sizeBytes / partSizeBytes);
    layerHashMs += cpuMsOf(() => {
      for (let index = 0; index < partCount; index += 1) layerHash.update(part);
    });
    encodeMs += cpuMsOf(() => {
      for (let index = 0; index < partCount; index += 1) {
        const bodyHash = createHash('sha256');
        encodeInPieces(part, body, PIECE_SIZE_BYTES, (piece) => bodyHash.update(piece));
        bodyHash.digest();
      }
    });
  }
  return { layerBytes, digests: [], extra: { readMs, layerHashMs, encodeMs } };
}

/** Reads a file part by part into one buffer; returns the count of bytes. */
function readParts(layer: LayerFile, part: Buffer): number {
  const file = openSync(layer.path, 'r');
  try {
    for (let position = 0; ;) {
      const count = readSync(file, part, 0, part.length, position);
      if (count === 0) return position;
      position += count;
    }
  } finally {
    closeSync(file);
  }
}

function cpuMsOf(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
