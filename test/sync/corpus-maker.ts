/** Makes a corpus that a seed names: how images share layers, what refers to them, how they are tagged. */

import type { Digest } from '../../src/digest.ts';
import { createRandomSource } from '../../src/emulator/random-source.ts';
import {
  DOCKER_CONFIG,
  DOCKER_IMAGE,
  DOCKER_LIST,
  OCI_CONFIG,
  OCI_IMAGE,
  OCI_INDEX,
} from '../../src/image/media-type.ts';
import type { Corpus, CorpusManifest, CorpusRepository } from './corpus.ts';
import { digestOfContent, digestOfText, type SeededContent } from './seeded-content.ts';

export interface CorpusSpec {
  /** Default 1. The same seed and spec give the same bytes. */
  readonly seed?: number;
  /** Tagged images, an index counted as one. Default 1,000. */
  readonly imageCount?: number;
  /** Default 50. */
  readonly repositoryCount?: number;
  /** Layers have from 200 bytes to so many, log-uniformly. Default 256 KiB. */
  readonly layerSizeMaxBytes?: number;
  /** Share of images that are indexes of two or three platforms. Default 0.15. */
  readonly indexShare?: number;
  /** Share of images that something refers to: a signature, or a signature and an SBOM. Default 0.1. */
  readonly referrerShare?: number;
  /** Share of images in Docker's media types. Default 0.3. */
  readonly dockerShare?: number;
  /** Share of images that have further tags. Default 0.2. */
  readonly moreTagsShare?: number;
  /** Default `team-1/app-1` and so on; the number is counted from 0. */
  readonly repositoryName?: (index: number) => string;
}

type Writable = CorpusRepository & {
  readonly manifests: Map<Digest, CorpusManifest>;
  readonly blobs: Set<Digest>;
  readonly tags: Map<string, Digest>;
};

interface Family {
  readonly image: string;
  readonly index: string;
  readonly config: string;
  readonly layer: string;
}

const OCI: Family = {
  image: OCI_IMAGE,
  index: OCI_INDEX,
  config: OCI_CONFIG,
  layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
};
const DOCKER: Family = {
  image: DOCKER_IMAGE,
  index: DOCKER_LIST,
  config: DOCKER_CONFIG,
  layer: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
};
const EMPTY_CONFIG = 'application/vnd.oci.empty.v1+json';
const ARTIFACTS = [
  { type: 'application/vnd.dev.sigstore.bundle.v0.3+json', layer: 'application/json' },
  { type: 'application/spdx+json', layer: 'application/spdx+json' },
] as const;
const PLATFORMS = [
  { os: 'linux', architecture: 'amd64' },
  { os: 'linux', architecture: 'arm64' },
  { os: 'linux', architecture: 'arm', variant: 'v7' },
] as const;

const LAYER_SIZE_MIN_BYTES = 200;
const BASE_COUNT = 4;
const BASE_LAYER_COUNT = 2;
/** Images without any base are the likes of `scratch`. */
const BASED_SHARE = 0.9;
const MIDDLE_COUNT = 3;

export function makeCorpus(spec: CorpusSpec = {}): Corpus {
  return new CorpusMaker(spec).make();
}

class CorpusMaker {
  readonly #spec: Required<Omit<CorpusSpec, 'seed'>>;
  readonly #random: () => number;
  readonly #seed: number;
  readonly #blobs = new Map<Digest, SeededContent | Buffer>();
  #contentCount = 0;

  constructor(spec: CorpusSpec) {
    this.#seed = spec.seed ?? 1;
    this.#random = createRandomSource(this.#seed);
    this.#spec = {
      imageCount: 1000,
      repositoryCount: 50,
      layerSizeMaxBytes: 256 * 1024,
      indexShare: 0.15,
      referrerShare: 0.1,
      dockerShare: 0.3,
      moreTagsShare: 0.2,
      repositoryName: (index) => `team-${(index % 7) + 1}/app-${index + 1}`,
      ...spec,
    };
  }

  make(): Corpus {
    const { imageCount, repositoryCount, repositoryName } = this.#spec;
    const bases = Array.from({ length: BASE_COUNT }, () => this.#layers(BASE_LAYER_COUNT));
    const repositories: CorpusRepository[] = [];
    for (let index = 0; index < repositoryCount; index += 1) {
      const repository: Writable = {
        name: repositoryName(index),
        manifests: new Map(),
        blobs: new Set(),
        tags: new Map(),
      };
      const middle = this.#layers(MIDDLE_COUNT);
      const first = Math.floor((index * imageCount) / repositoryCount);
      const end = Math.floor(((index + 1) * imageCount) / repositoryCount);
      for (let image = first; image < end; image += 1) {
        this.#addImage(repository, bases, middle, image - first, image + 1 === end);
      }
      repositories.push(repository);
    }
    // Of few images some layers are in none.
    const used = new Set(repositories.flatMap(({ blobs }) => [...blobs]));
    return {
      repositories,
      blobs: new Map([...this.#blobs].filter(([digest]) => used.has(digest))),
    };
  }

  #addImage(
    repository: Writable,
    bases: readonly (readonly Digest[])[],
    middle: readonly Digest[],
    number: number,
    isLast: boolean,
  ): void {
    const family = this.#isChosen(this.#spec.dockerShare) ? DOCKER : OCI;
    const base = this.#isChosen(BASED_SHARE) ? this.#oneOf(bases) : [];
    const shared = [...base, ...middle.filter(() => this.#isChosen(0.6))];
    let root: CorpusManifest;
    if (this.#isChosen(this.#spec.indexShare)) {
      const platforms = PLATFORMS.slice(0, this.#isChosen(0.3) ? 3 : 2);
      const children = platforms.map((platform) => ({
        platform,
        manifest: this.#addSingle(repository, family, shared, platform),
      }));
      root = addManifest(repository, family.index, {
        manifests: children.map(({ platform, manifest }) => ({
          mediaType: manifest.mediaType,
          digest: manifest.digest,
          size: manifest.bytes.length,
          platform,
        })),
      });
    } else {
      root = this.#addSingle(repository, family, shared, PLATFORMS[0]);
    }
    if (this.#isChosen(this.#spec.referrerShare)) this.#addReferrers(repository, root);
    this.#addTags(repository, root.digest, number, isLast);
  }

  #addSingle(
    repository: Writable,
    family: Family,
    shared: readonly Digest[],
    platform: (typeof PLATFORMS)[number],
  ): CorpusManifest {
    const layers = [...shared, ...this.#layers(1)];
    const config = this.#document({
      ...platform,
      created: new Date(1.7e12 + this.#contentCount * 60_000).toISOString(),
      rootfs: { type: 'layers', diff_ids: layers },
    });
    return addManifest(repository, family.image, {
      config: this.#descriptor(config, family.config),
      layers: layers.map((layer) => this.#descriptor(layer, family.layer)),
    });
  }

  #addReferrers(repository: Writable, subject: CorpusManifest): void {
    const { mediaType, digest, bytes } = subject;
    for (const artifact of ARTIFACTS.slice(0, this.#isChosen(0.5) ? 2 : 1)) {
      const statement = this.#document({ subject: digest, says: artifact.type });
      addManifest(repository, OCI_IMAGE, {
        artifactType: artifact.type,
        config: this.#descriptor(this.#document({}), EMPTY_CONFIG),
        layers: [this.#descriptor(statement, artifact.layer)],
        subject: { mediaType, digest, size: bytes.length },
      });
    }
  }

  #addTags({ tags }: Writable, digest: Digest, number: number, isLast: boolean): void {
    const version = `${1 + Math.floor(number / 10)}.${number % 10}`;
    const patch = Math.floor(this.#random() * 20);
    const isPrerelease = this.#isChosen(0.1);
    tags.set(`v${version}.${patch}${isPrerelease ? '-rc.1' : ''}`, digest);
    if (this.#isChosen(this.#spec.moreTagsShare)) {
      tags.set(version, digest);
      tags.set(`build-${digest.slice(-12)}`, digest);
    }
    if (isLast) tags.set('latest', digest);
  }

  /** New layers, of sizes of which small ones are as frequent as large ones. */
  #layers(count: number): Digest[] {
    return Array.from({ length: count }, () => {
      this.#contentCount += 1;
      const ratio = this.#spec.layerSizeMaxBytes / LAYER_SIZE_MIN_BYTES;
      const sizeBytes = Math.floor(LAYER_SIZE_MIN_BYTES * ratio ** this.#random());
      const content = { seed: (this.#seed * 0x9e3779b1 + this.#contentCount) >>> 0, sizeBytes };
      const digest = digestOfContent(content);
      this.#blobs.set(digest, content);
      return digest;
    });
  }

  #document(value: object): Digest {
    const bytes = Buffer.from(JSON.stringify(value));
    const digest = digestOfText(bytes);
    this.#blobs.set(digest, bytes);
    return digest;
  }

  #descriptor(digest: Digest, mediaType: string): JsonDescriptor {
    const blob = this.#blobs.get(digest);
    const size = Buffer.isBuffer(blob) ? blob.length : (blob?.sizeBytes ?? 0);
    return { mediaType, digest, size };
  }

  #isChosen(share: number): boolean {
    return this.#random() < share;
  }

  #oneOf<T>(choices: readonly T[]): T {
    return choices[Math.floor(this.#random() * choices.length)] as T;
  }
}

interface JsonDescriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
}

interface JsonManifest {
  readonly artifactType?: string;
  readonly config?: JsonDescriptor;
  readonly layers?: readonly JsonDescriptor[];
  readonly manifests?: readonly JsonDescriptor[];
  readonly subject?: JsonDescriptor;
}

/** Writes the manifest down and adds what it names to the repository. */
function addManifest(
  repository: Writable,
  mediaType: string,
  document: JsonManifest,
): CorpusManifest {
  const { config, layers = [], manifests = [], artifactType, subject } = document;
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, ...document }));
  const blobs = (config === undefined ? layers : [config, ...layers]).map(({ digest }) => digest);
  const manifest: CorpusManifest = {
    digest: digestOfText(bytes),
    mediaType,
    bytes,
    blobs,
    children: manifests.map(({ digest }) => digest),
    ...(artifactType !== undefined && { artifactType }),
    ...(subject !== undefined && { subject: subject.digest }),
  };
  repository.manifests.set(manifest.digest, manifest);
  for (const digest of blobs) repository.blobs.add(digest);
  return manifest;
}
