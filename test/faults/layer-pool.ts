/** Layers and their sources, made once: hundreds of runs send them. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { bytesSource, fileSource, randomAccessSource, streamSource } from '../../src/index.ts';
import type { Digest, LayerSource } from '../../src/index.ts';
import { MIB } from '../../src/limits.ts';
import { digestOf, layerBytes } from '../uploader/layer-bytes.ts';
import type { Random } from './fault.ts';

export interface PooledLayer {
  readonly bytes: Buffer;
  readonly digest: Digest;
  readonly path: string;
  readonly partCount: number;
}

const SOURCE_KINDS = [
  'known bytes',
  'bytes',
  'file',
  'random access',
  'stream',
  'streams',
] as const;
/** Whose digest is known before the first byte is sent. */
const KNOWN_KINDS = ['known bytes', 'bytes', 'file'] as const;

export class LayerPool {
  readonly #small: readonly PooledLayer[];
  readonly #large: readonly PooledLayer[];

  constructor(folder: string) {
    const make = (sizeBytes: number, seed: number, partCount: number): PooledLayer => {
      const bytes = layerBytes(sizeBytes, seed);
      const path = join(folder, `${seed}.tar`);
      writeFileSync(path, bytes);
      return { bytes, digest: digestOf(bytes), path, partCount };
    };
    this.#small = [1, 700, 3000, 65_537].map((sizeBytes, index) => make(sizeBytes, index + 1, 1));
    this.#large = [make(5 * MIB + 7, 11, 2), make(10 * MIB, 12, 2), make(10 * MIB + 1, 13, 3)];
  }

  /** Different ones. */
  someSmall(count: number): readonly PooledLayer[] {
    return this.#small.slice(0, count);
  }

  /** Of several parts. */
  large(index: number): PooledLayer {
    const layer = this.#large[index];
    if (layer === undefined) throw new RangeError(`no large layer ${index}`);
    return layer;
  }

  /** Small more often than not: large ones cost time. */
  any(random: Random): PooledLayer {
    const layers = random() < 0.6 ? this.#small : this.#large;
    return picked(layers, random);
  }
}

/** A source of any kind. `isKnown`: that ECR is asked for beforehand; `canStartAgain`: twice readable. */
export function sourceOf(
  layer: PooledLayer,
  random: Random,
  wanted: { readonly isKnown: boolean; readonly canStartAgain: boolean },
): LayerSource {
  const { bytes, digest, path } = layer;
  const kinds = wanted.isKnown
    ? KNOWN_KINDS
    : SOURCE_KINDS.filter((kind) => kind !== 'stream' || !wanted.canStartAgain);
  switch (picked(kinds, random)) {
    case 'known bytes':
      return bytesSource(bytes, { digest });
    case 'bytes':
      return bytesSource(bytes);
    case 'file':
      return fileSource(path);
    case 'random access':
      return randomAccessSource({
        sizeBytes: bytes.length,
        read: (offset, length) => Promise.resolve(bytes.subarray(offset, offset + length)),
      });
    case 'stream':
      return streamSource(Readable.from([bytes]));
    case 'streams':
      return streamSource(() => Readable.from([bytes]), { digest });
  }
}

export function picked<T>(items: readonly T[], random: Random): T {
  const item = items[Math.floor(random() * items.length)];
  if (item === undefined) throw new Error('nothing to pick from');
  return item;
}
