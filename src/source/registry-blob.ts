import type { Descriptor } from '../image/descriptor.ts';
import type { LayerSource } from '../layer/layer-source.ts';
import type { RegistryReference } from '../registry/reference.ts';
import type { RegistryClient } from '../registry/registry-client.ts';

/** What an image reads a registry by; several images may share one. */
export type RegistryReader = Pick<
  RegistryClient,
  'getManifest' | 'openBlob' | 'listTags' | 'referrers'
>;

/**
 * A blob of a registry, streamed. It can be read again, at the price of another download.
 * @param client must stay open as long as the blob is read
 */
export function registryBlob(
  client: Pick<RegistryReader, 'openBlob'>,
  { registry, repository }: Pick<RegistryReference, 'registry' | 'repository'>,
  descriptor: Pick<Descriptor, 'digest' | 'sizeBytes'>,
): LayerSource {
  const { digest, sizeBytes } = descriptor;
  return {
    label: `${registry}/${repository}@${digest}`,
    digest,
    open: () => {
      // With the first byte that is wanted: a layer that another push is sending is not read at all.
      let stream: ReturnType<RegistryReader['openBlob']> | undefined;
      let blob: Awaited<typeof stream>;
      return Promise.resolve({
        sizeBytes,
        rereadable: true,
        cheapToReread: false,
        startsAnywhere: true,
        get receivedBytes() {
          return blob?.receivedBytes;
        },
        read: async (target, firstByte, signal) => {
          stream ??= client.openBlob(repository, descriptor, signal, firstByte);
          blob = await stream;
          return blob.read(target, signal);
        },
        // Named by its digest, it cannot change.
        assertUnchanged: () => Promise.resolve(),
        close: async () => {
          const opened = await stream?.catch(() => undefined);
          opened?.close();
        },
      });
    },
  };
}
