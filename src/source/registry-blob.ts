import type { Descriptor } from '../image/descriptor.ts';
import type { LayerSource } from '../layer/layer-source.ts';
import type { RegistryReference } from '../registry/reference.ts';
import type { RegistryClient } from '../registry/registry-client.ts';

/**
 * A blob of a registry, streamed. It can be read again, at the price of another download.
 * @param client must stay open as long as the blob is read
 */
export function registryBlob(
  client: RegistryClient,
  { registry, repository }: Pick<RegistryReference, 'registry' | 'repository'>,
  descriptor: Descriptor,
): LayerSource {
  const { digest, sizeBytes } = descriptor;
  return {
    label: `${registry}/${repository}@${digest}`,
    digest,
    open: async (signal) => {
      const blob = await client.openBlob(repository, descriptor, signal);
      return {
        sizeBytes,
        rereadable: true,
        cheapToReread: false,
        read: (target, _firstByte, signalOfRead) => blob.read(target, signalOfRead),
        // Named by its digest, it cannot change.
        assertUnchanged: () => Promise.resolve(),
        close: () => {
          blob.close();
          return Promise.resolve();
        },
      };
    },
  };
}
