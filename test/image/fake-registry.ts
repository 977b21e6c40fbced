/** A repository that keeps ECR's rules about images, and can forget layers. */

import type { Digest } from '../../src/index.ts';
import type {
  ImagePut,
  ImageReference,
  ImageRegistry,
  StoredImage,
} from '../../src/image/image-registry.ts';
import { LongshoreError } from '../../src/errors.ts';
import { type FaultKind, RegistryFault } from '../../src/layer/ports.ts';

interface Named {
  readonly digest: Digest;
}

export class FakeRegistry implements ImageRegistry {
  readonly layers: Set<Digest> = new Set();
  readonly images: Map<Digest, ImagePut> = new Map();
  readonly tags: Map<string, Digest> = new Map();
  /** Digests in the order in which they were put. */
  readonly puts: Digest[] = [];
  readonly calls: string[] = [];
  /** Refuses this many puts for layers although it has them. */
  lagCount = 0;

  getImages(_repository: string, references: readonly ImageReference[]): Promise<StoredImage[]> {
    this.calls.push('BatchGetImage');
    const found = references.flatMap((reference): StoredImage[] => {
      const tag = 'tag' in reference ? reference.tag : undefined;
      const digest = 'tag' in reference ? this.tags.get(reference.tag) : reference.digest;
      const image = digest === undefined ? undefined : this.images.get(digest);
      if (image === undefined) return [];
      return [{ digest: image.digest, tag, mediaType: image.mediaType, text: image.text }];
    });
    return Promise.resolve(found);
  }

  availableLayers(
    _repository: string,
    digests: readonly Digest[],
  ): Promise<Map<Digest, number | undefined>> {
    this.calls.push('BatchCheckLayerAvailability');
    if (digests.length > 100) return Promise.reject(new Error('over 100 digests'));
    const found = digests.filter((digest) => this.layers.has(digest));
    return Promise.resolve(new Map(found.map((digest) => [digest, undefined])));
  }

  putImage(_repository: string, image: ImagePut): Promise<'put' | 'already-present'> {
    this.calls.push('PutImage');
    const { config, layers, manifests } = JSON.parse(image.text) as {
      config?: Named;
      layers?: Named[];
      manifests?: Named[];
    };
    const blobs = [...(layers ?? []), ...(config === undefined ? [] : [config])];
    if (blobs.length > 0 && this.lagCount > 0) {
      this.lagCount -= 1;
      return Promise.reject(fault('layers-missing', image.digest));
    }
    if (blobs.some(({ digest }) => !this.layers.has(digest))) {
      return Promise.reject(fault('layers-missing', image.digest));
    }
    if (manifests?.some(({ digest }) => !this.images.has(digest)) === true) {
      return Promise.reject(fault('children-missing', image.digest));
    }
    const isThere = this.images.has(image.digest);
    if (!isThere) this.puts.push(image.digest);
    this.images.set(image.digest, image);
    if (image.tag !== undefined) this.tags.set(image.tag, image.digest);
    return Promise.resolve(isThere ? 'already-present' : 'put');
  }

  immutableTags(): Promise<string[]> {
    return Promise.resolve([]);
  }

  createRepository(): Promise<boolean> {
    return Promise.resolve(true);
  }

  referrers(): Promise<never[]> {
    return Promise.resolve([]);
  }

  downloadUrl(): Promise<string> {
    return Promise.reject(new Error('nothing to download'));
  }
}

function fault(kind: FaultKind, digest: Digest): RegistryFault {
  const details = { operation: 'PutImage', digest };
  return new RegistryFault(kind, new LongshoreError('E_IMAGE_REJECTED', kind, details));
}
