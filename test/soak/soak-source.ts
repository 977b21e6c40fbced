/** A soak's layer as a source, of whichever kind. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { bytesSource, fileSource, randomAccessSource, streamSource } from '../../src/index.ts';
import type { LayerSource } from '../../src/index.ts';
import { digestOf } from '../uploader/layer-bytes.ts';
import type { SoakUpload } from './soak-plan.ts';

const CHUNK_BYTES = 100_000;

/** @param name of a file in `folder`, where one is needed */
export function sourceOf(
  { source, isDigestKnown }: SoakUpload,
  bytes: Buffer,
  folder: string,
  name: string,
): LayerSource {
  const known = isDigestKnown ? { digest: digestOf(bytes) } : {};
  switch (source) {
    case 'bytes':
      return bytesSource(bytes, known);
    case 'stream':
      return streamSource(() => Readable.from(chunksOf(bytes)), known);
    case 'pushing-stream':
      return streamSource(pushing(bytes), known);
    case 'random-access':
      return randomAccessSource(
        {
          sizeBytes: bytes.length,
          read: (firstByte, lengthBytes) =>
            Promise.resolve(bytes.subarray(firstByte, firstByte + Math.min(lengthBytes, 777_777))),
        },
        known,
      );
    case 'file': {
      const path = join(folder, name);
      writeFileSync(path, bytes);
      return fileSource(path);
    }
  }
}

/** Hands everything over at once, whether it is wanted or not. */
function pushing(bytes: Buffer): Readable {
  const stream = new Readable({ read: () => undefined });
  for (const chunk of chunksOf(bytes)) stream.push(chunk);
  stream.push(null);
  return stream;
}

function* chunksOf(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
    yield bytes.subarray(at, at + CHUNK_BYTES);
  }
}
