/** Finds the image of an OCI layout that is meant. */

import type { Digest } from '../digest.ts';
import type { Descriptor } from '../image/descriptor.ts';
import { imageAmbiguous, imageNotFound } from '../image/image-errors.ts';
import { isIndexType } from '../image/media-type.ts';
import { formatPlatform, matchesPlatform, parsePlatform } from '../image/platform.ts';
import { type ImageChoice, wantedText } from './image-choice.ts';
import { namedSo } from './image-name.ts';
import type { LayoutContent } from './layout-content.ts';

/** One image that may be meant, under all the names it has. */
interface Candidate {
  readonly descriptor: Descriptor;
  readonly names: readonly string[];
}

/** Annotations by which tools name the entries of a layout: OCI's own, and containerd's and Docker's. */
const NAME_ANNOTATIONS = ['org.opencontainers.image.ref.name', 'io.containerd.image.name'] as const;
/** Where tools keep what refers to an image, if it is not said in a subject. */
const REFERRER_TAG = /^sha256-([0-9a-f]{64})(?:\.[a-z]+)?$/;

/** @throws LongshoreError E_IMAGE_NOT_FOUND, E_IMAGE_AMBIGUOUS with what there is */
export async function chooseEntry(
  content: LayoutContent,
  choice: ImageChoice,
  signal: AbortSignal,
): Promise<Descriptor> {
  const all = candidatesOf(content.entries);
  const found = await select(content, all, choice, signal);
  if (found.length === 0) {
    const wanted = wantedText(choice);
    throw imageNotFound(content.label, wanted, await linesOf(content, all, signal));
  }
  const own = found.length > 1 ? await withoutDependents(content, found, signal) : found;
  const [first] = own;
  if (first !== undefined && own.length === 1) return first.descriptor;
  throw imageAmbiguous(content.label, await linesOf(content, own, signal));
}

/** Entries that differ in nothing but their names are one image. */
function candidatesOf(entries: readonly Descriptor[]): readonly Candidate[] {
  const byDigest = new Map<Digest, Candidate>();
  for (const descriptor of entries) {
    const known = byDigest.get(descriptor.digest);
    const names = NAME_ANNOTATIONS.flatMap((key) => descriptor.annotations?.[key] ?? []);
    byDigest.set(descriptor.digest, {
      descriptor: known?.descriptor ?? descriptor,
      names: [...new Set([...(known?.names ?? []), ...names])],
    });
  }
  return [...byDigest.values()];
}

async function select(
  content: LayoutContent,
  all: readonly Candidate[],
  { reference, digest, platform }: ImageChoice,
  signal: AbortSignal,
): Promise<readonly Candidate[]> {
  let found = reference === undefined ? all : namedSo(reference, all);
  if (digest !== undefined) found = await withDigest(content, found, digest, signal);
  if (platform !== undefined) found = await forPlatform(content, found, platform, signal);
  return found;
}

/** Entries, or else the images that their indexes list. */
async function withDigest(
  content: LayoutContent,
  candidates: readonly Candidate[],
  digest: Digest,
  signal: AbortSignal,
): Promise<readonly Candidate[]> {
  const entries = candidates.filter(({ descriptor }) => descriptor.digest === digest);
  if (entries.length > 0) return entries;
  for (const { descriptor } of candidates) {
    const children = await childrenOf(content, descriptor, signal);
    const child = children.find((one) => one.digest === digest);
    if (child !== undefined) return [{ descriptor: child, names: [] }];
  }
  return [];
}

/** Images for the platform, and of an index its image for it. */
async function forPlatform(
  content: LayoutContent,
  candidates: readonly Candidate[],
  platform: string,
  signal: AbortSignal,
): Promise<readonly Candidate[]> {
  const wanted = parsePlatform(platform);
  const byDigest = new Map<Digest, Candidate>();
  for (const candidate of candidates) {
    const { descriptor } = candidate;
    const isIndex = isIndexType(descriptor.mediaType);
    const images = isIndex ? await childrenOf(content, descriptor, signal) : [descriptor];
    for (const image of images) {
      const found = await content.platformOf(image, signal);
      if (found === undefined || wanted === undefined || !matchesPlatform(wanted, found)) continue;
      byDigest.set(image.digest, { descriptor: image, names: candidate.names });
      // Several versions of Windows, say: an index has the one to prefer first.
      break;
    }
  }
  return [...byDigest.values()];
}

/** Leaves out what belongs to another of them: the images of an index, and what refers to an image. */
async function withoutDependents(
  content: LayoutContent,
  candidates: readonly Candidate[],
  signal: AbortSignal,
): Promise<readonly Candidate[]> {
  const digests = new Set(candidates.map(({ descriptor }) => descriptor.digest));
  const dependents = new Set<Digest>();
  for (const { descriptor, names } of candidates) {
    const manifest = await content.manifest(descriptor, signal);
    for (const { digest } of manifest?.manifests ?? []) dependents.add(digest);
    const subjects = names.map((name) => `sha256:${REFERRER_TAG.exec(name)?.[1] ?? ''}` as const);
    if (manifest?.subject !== undefined) subjects.push(manifest.subject.digest);
    if (subjects.some((subject) => digests.has(subject))) dependents.add(descriptor.digest);
  }
  return candidates.filter(({ descriptor }) => !dependents.has(descriptor.digest));
}

async function childrenOf(
  content: LayoutContent,
  descriptor: Descriptor,
  signal: AbortSignal,
): Promise<readonly Descriptor[]> {
  return (await content.manifest(descriptor, signal))?.manifests ?? [];
}

/** As one would ask for them, one line each. */
function linesOf(
  content: LayoutContent,
  candidates: readonly Candidate[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  return Promise.all(
    candidates.map(async ({ descriptor, names }) => {
      const platform = await content.platformOf(descriptor, signal);
      const name = names.length === 0 ? descriptor.digest : names.join(', ');
      return platform === undefined ? name : `${name} (${formatPlatform(platform)})`;
    }),
  );
}
