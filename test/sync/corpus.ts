/** A registry's worth of images: what is in them, and what a copy of them takes. */

import type { Digest } from '../../src/digest.ts';
import { readContent, type SeededContent } from './seeded-content.ts';

export interface CorpusManifest {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly bytes: Buffer;
  readonly artifactType?: string;
  readonly subject?: Digest;
  /** Config and layers, or none. */
  readonly blobs: readonly Digest[];
  /** Manifests of an index. */
  readonly children: readonly Digest[];
}

export interface CorpusRepository {
  readonly name: string;
  /** Children before indexes, subjects before referrers. */
  readonly manifests: ReadonlyMap<Digest, CorpusManifest>;
  readonly blobs: ReadonlySet<Digest>;
  readonly tags: ReadonlyMap<string, Digest>;
}

export interface Corpus {
  readonly repositories: readonly CorpusRepository[];
  /** Layers by what makes them, small documents as they are. */
  readonly blobs: ReadonlyMap<Digest, SeededContent | Buffer>;
}

/** Bytes of a blob from a position on. */
export function readBlob(
  corpus: Corpus,
  digest: Digest,
  firstByte = 0,
): { readonly sizeBytes: number; readonly pieces: Iterable<Buffer> } | undefined {
  const blob = corpus.blobs.get(digest);
  if (blob === undefined) return undefined;
  if (Buffer.isBuffer(blob)) {
    return { sizeBytes: blob.length, pieces: [blob.subarray(firstByte)] };
  }
  return { sizeBytes: blob.sizeBytes, pieces: readContent(blob, firstByte) };
}

export function sizeOfBlob(corpus: Corpus, digest: Digest): number {
  const blob = corpus.blobs.get(digest);
  if (blob === undefined) throw new Error(`the corpus has no ${digest}`);
  return Buffer.isBuffer(blob) ? blob.length : blob.sizeBytes;
}

/** What a copy of it takes: every blob once, and again in each further repository that wants it. */
export function summaryOf({ repositories, blobs }: Corpus): {
  readonly tagCount: number;
  readonly manifestCount: number;
  readonly blobCount: number;
  /** Bytes of every blob once. */
  readonly blobBytes: number;
  /** Places of blobs beyond the first of each: what can be mounted. */
  readonly mountableCount: number;
} {
  const sum = (numbers: readonly number[]): number =>
    numbers.reduce((total, count) => total + count, 0);
  const sizes = [...blobs.values()].map((blob) =>
    Buffer.isBuffer(blob) ? blob.length : blob.sizeBytes,
  );
  return {
    tagCount: sum(repositories.map(({ tags }) => tags.size)),
    manifestCount: sum(repositories.map(({ manifests }) => manifests.size)),
    blobCount: blobs.size,
    blobBytes: sum(sizes),
    mountableCount: sum(repositories.map((repository) => repository.blobs.size)) - blobs.size,
  };
}
