/** A repository of a corpus as a registry serves it at the moment: tags move, manifests disappear. */

import type { Digest } from '../../src/digest.ts';
import { OCI_INDEX } from '../../src/image/media-type.ts';
import type { CorpusManifest, CorpusRepository } from './corpus.ts';
import { digestOfText } from './seeded-content.ts';

export class ServedRepository {
  readonly #blobs: ReadonlySet<Digest>;
  readonly #manifests: Map<Digest, CorpusManifest>;
  readonly #tags: Map<string, Digest>;

  /** @param standIn whether tags stand in for the referrers API, `sha256-...` */
  constructor({ blobs, manifests, tags }: CorpusRepository, standIn: boolean) {
    this.#blobs = blobs;
    this.#manifests = new Map(manifests);
    this.#tags = new Map(tags);
    if (standIn) {
      for (const { tag, manifest } of standIns({ manifests })) {
        this.#manifests.set(manifest.digest, manifest);
        this.#tags.set(tag, manifest.digest);
      }
    }
  }

  tagNames(): string[] {
    return [...this.#tags.keys()];
  }

  /** @param reference a tag or a digest */
  find(reference: string): CorpusManifest | undefined {
    const digest = this.#tags.get(reference) ?? reference;
    return this.#manifests.get(digest as Digest);
  }

  hasBlob(digest: Digest): boolean {
    return this.#blobs.has(digest);
  }

  referrersOf(digest: Digest): CorpusManifest[] {
    return [...this.#manifests.values()].filter(({ subject }) => subject === digest);
  }

  moveTag(tag: string, digest: Digest): void {
    this.#tags.set(tag, digest);
  }

  removeManifest(digest: Digest): void {
    this.#manifests.delete(digest);
    for (const [tag, pointed] of this.#tags) if (pointed === digest) this.#tags.delete(tag);
  }
}

/** What a list of referrers looks like. */
export function referrersIndex(referrers: readonly CorpusManifest[]): Buffer {
  return Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: OCI_INDEX,
      manifests: referrers.map(({ mediaType, digest, bytes, artifactType }) => ({
        mediaType,
        digest,
        size: bytes.length,
        artifactType,
      })),
    }),
  );
}

/** The tags by which registries without the referrers API are told what refers to an image. */
export function standIns({ manifests }: Pick<CorpusRepository, 'manifests'>): {
  readonly tag: string;
  readonly manifest: CorpusManifest;
}[] {
  const bySubject = new Map<Digest, CorpusManifest[]>();
  for (const manifest of manifests.values()) {
    if (manifest.subject === undefined) continue;
    bySubject.set(manifest.subject, [...(bySubject.get(manifest.subject) ?? []), manifest]);
  }
  return [...bySubject].map(([subject, referrers]) => {
    const bytes = referrersIndex(referrers);
    return {
      tag: subject.replace(':', '-'),
      manifest: {
        digest: digestOfText(bytes),
        mediaType: OCI_INDEX,
        bytes,
        blobs: [],
        children: referrers.map(({ digest }) => digest),
      },
    };
  });
}
