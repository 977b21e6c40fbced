import { createCipheriv, createHash } from 'node:crypto';
import type { Digest } from '../../src/index.ts';

/** Bytes that look random and are the same for the same `seed`; no two pieces of them are equal. */
export function layerBytes(sizeBytes: number, seed = 1): Buffer {
  const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16, seed), Buffer.alloc(16));
  return cipher.update(Buffer.alloc(sizeBytes));
}

/** By node:crypto, whatever the engine uses. */
export function digestOf(bytes: Uint8Array): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
