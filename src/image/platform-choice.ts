/** Takes some platforms of an index. */

import type { Digest } from '../digest.ts';
import type { Descriptor } from './descriptor.ts';
import { imageNotFound } from './image-errors.ts';
import { readJsonObject } from './json-document.ts';
import { type Manifest, readManifest } from './manifest.ts';
import { formatPlatform, matchesPlatform, parsePlatform } from './platform.ts';

/** BuildKit lists what it attests of an image beside it, under a platform of its own. */
const ATTESTED_DIGEST = 'vnd.docker.reference.digest';

/** What is left of an image: one of its own manifests, or a list that had to be made. */
export interface PlatformChoice {
  readonly descriptor: Descriptor;
  /** Only where it had to be made. */
  readonly manifest?: Manifest;
}

/**
 * Of one platform the image itself, of several a list with only these (and what is attested of them).
 * The made list has the index's own type, entries and annotations, in their order.
 * @param wanted `os/architecture[/variant]` each; none for all
 * @throws LongshoreError E_IMAGE_NOT_FOUND with the platforms there are
 */
export function choosePlatforms(
  root: Manifest,
  descriptor: Descriptor,
  wanted: readonly string[],
  source: string,
): PlatformChoice {
  if (wanted.length === 0) return { descriptor };
  if (root.kind === 'image') return imageOfPlatform(descriptor, wanted, source);
  const chosen = new Set<Digest>();
  for (const text of wanted) {
    const platform = parsePlatform(text);
    const matches = root.manifests.filter(
      (child) =>
        platform !== undefined &&
        child.platform !== undefined &&
        matchesPlatform(platform, child.platform),
    );
    if (matches.length === 0) throw platformMissing(root, text, source);
    for (const { digest } of matches) chosen.add(digest);
  }
  const [only] = root.manifests.filter(({ digest }) => chosen.has(digest));
  if (chosen.size === 1 && only !== undefined) return { descriptor: only };
  for (const { digest, annotations } of root.manifests) {
    const attested = annotations?.[ATTESTED_DIGEST];
    if ([...chosen].some((image) => image === attested)) chosen.add(digest);
  }
  if (root.manifests.every(({ digest }) => chosen.has(digest))) return { descriptor };
  return listOf(root, chosen, source);
}

/** A single image is for the platform that its source found in its descriptor or config. */
function imageOfPlatform(
  descriptor: Descriptor,
  wanted: readonly string[],
  source: string,
): PlatformChoice {
  const { platform } = descriptor;
  if (platform === undefined) {
    throw imageNotFound(
      source,
      `for the platform ${wanted.join(', ')}: it does not say its own`,
      [],
    );
  }
  for (const text of wanted) {
    const parsed = parsePlatform(text);
    if (parsed === undefined || !matchesPlatform(parsed, platform)) {
      throw imageNotFound(source, `for the platform ${text}`, [formatPlatform(platform)]);
    }
  }
  return { descriptor };
}

function platformMissing(root: Manifest, wanted: string, source: string): Error {
  const choices = root.manifests.flatMap(({ platform }) =>
    platform === undefined ? [] : [formatPlatform(platform)],
  );
  return imageNotFound(source, `for the platform ${wanted}`, choices);
}

function listOf(root: Manifest, chosen: ReadonlySet<Digest>, source: string): PlatformChoice {
  const document = readJsonObject(root.bytes);
  const entries = document['manifests'] as readonly unknown[];
  const kept = entries.filter((_entry, index) => {
    const child = root.manifests[index];
    return child !== undefined && chosen.has(child.digest);
  });
  const { mediaType } = root;
  const text = JSON.stringify({ ...document, mediaType, manifests: kept });
  const manifest = readManifest(new TextEncoder().encode(text), { source, mediaType });
  const { digest, bytes } = manifest;
  return { descriptor: { mediaType, digest, sizeBytes: bytes.length }, manifest };
}
