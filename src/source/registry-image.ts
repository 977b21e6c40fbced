import type { ImageSource } from '../image/image-source.ts';
import { parsePlatform } from '../image/platform.ts';
import { type RegistryOptions, resolveRegistryOptions } from '../registry/client-options.ts';
import { formatReference, parseReference } from '../registry/reference.ts';
import { type LongshoreError, optionInvalid } from '../errors.ts';

export type { RegistryCredentials } from '../registry/client-options.ts';

/** Options of {@link registryImage}. Every field is optional. */
export interface RegistryImageOptions extends RegistryOptions {
  /**
   * Takes the image for this platform, written `os/architecture[/variant]`, out of an index; of a single
   * image, insists that it is for this platform. Default: what the reference names, whole.
   */
  readonly platform?: string;
}

/**
 * An image in any registry that speaks the OCI distribution protocol: Docker Hub, ECR, GHCR, Harbor, ...
 * Blobs are streamed, at most a few hundred kilobytes of each in memory; broken downloads go on where
 * they broke off. Every manifest's digest is checked here, every blob's where it is pushed.
 * @param reference as for `docker pull`: `alpine`, `registry.example.com:5000/team/app:1.0`,
 *   `app@sha256:...`; of a tag and a digest, the digest decides
 * @throws LongshoreError E_OPTION_INVALID
 */
export function registryImage(reference: string, options: RegistryImageOptions = {}): ImageSource {
  const parsed = parseReference(reference);
  const { platform, ...registryOptions } = options;
  resolveRegistryOptions(registryOptions, ['platform']);
  if (platform !== undefined && parsePlatform(platform) === undefined) throw noPlatform(platform);
  const label = formatReference(parsed);
  return {
    label,
    open: async (_context, signal) => {
      // Loads the HTTP client: not before it is needed.
      const { openRegistryImage } = await import('./registry-open-image.ts');
      return openRegistryImage({ label, reference: parsed, platform }, registryOptions, signal);
    },
  };
}

function noPlatform(received: string): LongshoreError {
  const expected = 'os/architecture[/variant] such as linux/arm64';
  return optionInvalid('platform', expected, JSON.stringify(received));
}
