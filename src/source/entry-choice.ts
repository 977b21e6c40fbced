/** Which of a layout's images is meant. */

import type { Digest } from '../digest.ts';
import { LongshoreError } from '../errors.ts';
import type { Descriptor } from '../image/descriptor.ts';
import { imageAmbiguous, imageNotFound } from '../image/image-errors.ts';
import type { Manifest } from '../image/manifest.ts';
import {
  DOCKER_IMAGE,
  DOCKER_LIST,
  isImageType,
  isIndexType,
  OCI_IMAGE,
  OCI_INDEX,
} from '../image/media-type.ts';
import { choosePlatforms } from '../image/platform-choice.ts';
import { formatPlatform, matchesPlatform, parsePlatform } from '../image/platform.ts';
import { type ImageSelection, wantedText } from './image-selection.ts';
import type { LayoutEntry } from './layout-index.ts';
import type { ManifestReader } from './manifest-reader.ts';
import { matchingReference } from './reference-match.ts';

/** Entries that are looked into to find out which of them others list. */
const ENTRIES_EXAMINED_MAX = 1000;
/** How registries without a referrers API, and cosign, name what refers to an image. */
const REFERRER_TAG = /^sha256-([0-9a-f]{64})(?:\.(?:sig|att|sbom))?$/;
const TYPE_NAME: Readonly<Record<string, string>> = {
  [OCI_IMAGE]: 'OCI image',
  [OCI_INDEX]: 'OCI index',
  [DOCKER_IMAGE]: 'Docker image',
  [DOCKER_LIST]: 'Docker list',
};

/**
 * The image that is meant, with its platform where that is known.
 * @throws LongshoreError E_IMAGE_NOT_FOUND, E_IMAGE_AMBIGUOUS; whatever is wrong with a manifest
 */
export async function chooseEntry(
  entries: readonly LayoutEntry[],
  selection: ImageSelection,
  reader: ManifestReader,
  signal: AbortSignal,
): Promise<Descriptor> {
  const { reference, digest, platform } = selection;
  const images = entries.filter(({ descriptor: { mediaType } }) => isKnownType(mediaType));
  // Of what ECR does not take, whoever reads the manifest says why.
  let candidates = images.length === 0 ? entries : images;
  if (reference !== undefined) {
    candidates = matchingReference(reference, candidates, ({ names }) => names);
  }
  if (digest !== undefined) candidates = await withDigest(candidates, digest, reader, signal);
  candidates = [...new Map(candidates.map((one) => [one.descriptor.digest, one])).values()];
  if (platform !== undefined) {
    candidates = await forPlatform(candidates, platform, reader, signal);
  } else if (candidates.length > 1 && candidates.length <= ENTRIES_EXAMINED_MAX) {
    candidates = await independent(candidates, reader, signal);
  }
  const [only] = candidates;
  if (only === undefined) {
    const choices = await entryLines(entries, reader, signal);
    throw imageNotFound(reader.label, wantedText(selection), choices);
  }
  if (candidates.length > 1) {
    throw imageAmbiguous(reader.label, await entryLines(candidates, reader, signal));
  }
  return withPlatform(only.descriptor, reader, signal);
}

/** Entries with this digest, or what an index among them lists under it. */
async function withDigest(
  candidates: readonly LayoutEntry[],
  digest: Digest,
  reader: ManifestReader,
  signal: AbortSignal,
): Promise<readonly LayoutEntry[]> {
  const own = candidates.filter(({ descriptor }) => descriptor.digest === digest);
  if (own.length > 0) return own;
  for (const { descriptor } of candidates.slice(0, ENTRIES_EXAMINED_MAX)) {
    if (!isIndexType(descriptor.mediaType)) continue;
    const index = await reader.manifestIfAny(descriptor, signal);
    const child = index?.manifests.find((one) => one.digest === digest);
    if (child !== undefined) return [{ descriptor: child, names: [] }];
  }
  return [];
}

/** The images for a platform: entries, or what indexes among them list. */
async function forPlatform(
  candidates: readonly LayoutEntry[],
  platform: string,
  reader: ManifestReader,
  signal: AbortSignal,
): Promise<readonly LayoutEntry[]> {
  const isOnly = candidates.length === 1;
  const found = new Map<Digest, LayoutEntry>();
  for (const { descriptor, names } of candidates) {
    const chosen = await imageForPlatform(descriptor, platform, isOnly, reader, signal);
    if (chosen !== undefined) found.set(chosen.digest, { descriptor: chosen, names });
  }
  return [...found.values()];
}

/** @param isOnly then an image of which nothing is known is taken */
async function imageForPlatform(
  descriptor: Descriptor,
  platform: string,
  isOnly: boolean,
  reader: ManifestReader,
  signal: AbortSignal,
): Promise<Descriptor | undefined> {
  const wanted = parsePlatform(platform);
  if (wanted === undefined) return undefined;
  const manifest = await reader.manifestIfAny(descriptor, signal);
  if (manifest?.kind === 'index') return childForPlatform(manifest, descriptor, platform, reader);
  const own =
    descriptor.platform ??
    (manifest === undefined ? undefined : await reader.platformOf(manifest, signal));
  if (own === undefined) return isOnly ? descriptor : undefined;
  return matchesPlatform(wanted, own) ? { ...descriptor, platform: own } : undefined;
}

function childForPlatform(
  manifest: Manifest,
  descriptor: Descriptor,
  platform: string,
  { label }: ManifestReader,
): Descriptor | undefined {
  try {
    const chosen = choosePlatforms(manifest, descriptor, [platform], label);
    // Several versions of Windows, say: the index has the one to prefer first.
    return chosen.manifest?.manifests[0] ?? chosen.descriptor;
  } catch (error) {
    if (LongshoreError.is(error, 'E_IMAGE_NOT_FOUND')) return undefined;
    throw error;
  }
}

/** Those that no other one lists, and that do not refer to another one. All, where none is left. */
async function independent(
  candidates: readonly LayoutEntry[],
  reader: ManifestReader,
  signal: AbortSignal,
): Promise<readonly LayoutEntry[]> {
  const listed = new Set<Digest>();
  const subjects = new Map<Digest, Digest>();
  for (const { descriptor, names } of candidates) {
    const manifest = await reader.manifestIfAny(descriptor, signal);
    for (const child of manifest?.manifests ?? []) listed.add(child.digest);
    const tagged = names.map((name) => REFERRER_TAG.exec(name)?.[1]).find(Boolean);
    const subject = manifest?.subject?.digest ?? (tagged && (`sha256:${tagged}` as const));
    if (subject !== undefined && subject !== '') subjects.set(descriptor.digest, subject);
  }
  const known = new Set([...candidates.map(({ descriptor }) => descriptor.digest), ...listed]);
  const left = candidates.filter(({ descriptor: { digest } }) => {
    const subject = subjects.get(digest);
    return !listed.has(digest) && (subject === undefined || !known.has(subject));
  });
  return left.length === 0 ? candidates : left;
}

async function withPlatform(
  descriptor: Descriptor,
  reader: ManifestReader,
  signal: AbortSignal,
): Promise<Descriptor> {
  if (descriptor.platform !== undefined || !isImageType(descriptor.mediaType)) return descriptor;
  const manifest = await reader.manifestIfAny(descriptor, signal);
  const platform = manifest && (await reader.platformOf(manifest, signal));
  return platform === undefined ? descriptor : { ...descriptor, platform };
}

function isKnownType(mediaType: string): boolean {
  return isImageType(mediaType) || isIndexType(mediaType);
}

/** Every image as one would ask for it. The platforms of the first are looked up, if need be. */
async function entryLines(
  entries: readonly LayoutEntry[],
  reader: ManifestReader,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const lines: string[] = [];
  for (const { descriptor, names } of entries) {
    const isLookedUp = lines.length < ENTRIES_EXAMINED_MAX;
    const known = isLookedUp
      ? await withPlatform(descriptor, reader, signal).catch(() => descriptor)
      : descriptor;
    signal.throwIfAborted();
    lines.push(entryLine({ descriptor: known, names }));
  }
  return lines;
}

function entryLine({ descriptor, names }: LayoutEntry): string {
  const { digest, mediaType, platform, artifactType } = descriptor;
  const type = artifactType ?? TYPE_NAME[mediaType] ?? mediaType;
  const where = platform === undefined ? '' : `, ${formatPlatform(platform)}`;
  return `${names[0] ?? digest}  (${type}${where})`;
}
