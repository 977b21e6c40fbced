/** One registry's reader for all images of a sync: what two targets need is asked for once. */

import { isDigest } from '../digest.ts';
import type { Descriptor } from '../image/descriptor.ts';
import { MIB } from '../limits.ts';
import type { RegistryManifest } from '../registry/manifest-reply.ts';
import type { RegistryClient } from '../registry/registry-client.ts';
import type { RegistryReader } from '../source/registry-blob.ts';
import { AnswerCache } from './answer-cache.ts';

/** Manifests are a few kilobytes: those of some thousand images. */
const MANIFEST_BYTES_MAX: number = 32 * MIB;
const REFERRER_BYTES_MAX: number = 4 * MIB;
/** What a descriptor takes, roughly. */
const DESCRIPTOR_BYTES = 512;

/** @param signal ends with the sync: what several wait for is not ended by one of them */
export function cachingReader(client: RegistryClient, signal: AbortSignal): RegistryReader {
  const manifests = new AnswerCache<RegistryManifest>(
    MANIFEST_BYTES_MAX,
    ({ bytes }) => bytes.length + DESCRIPTOR_BYTES,
  );
  const referrers = new AnswerCache<readonly Descriptor[]>(
    REFERRER_BYTES_MAX,
    (list) => (list.length + 1) * DESCRIPTOR_BYTES,
  );
  return {
    getManifest: (repository, reference, ownSignal) => {
      const ask = (until: AbortSignal): Promise<RegistryManifest> =>
        client.getManifest(repository, reference, until);
      // A tag may move.
      if (!isDigest(reference)) return ask(ownSignal);
      return manifests.get(`${repository}@${reference}`, () => ask(signal), ownSignal);
    },
    referrers: (repository, digest, ownSignal) =>
      referrers.get(
        `${repository}@${digest}`,
        () => client.referrers(repository, digest, signal),
        ownSignal,
      ),
    openBlob: (...request) => client.openBlob(...request),
    listTags: (...request) => client.listTags(...request),
  };
}
