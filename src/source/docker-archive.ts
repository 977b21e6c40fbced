/** What `docker save` says is in its archive, and which of it is meant. */

import { type Digest, isDigest } from '../digest.ts';
import type { Platform } from '../image/descriptor.ts';
import { blobMissing, imageAmbiguous, imageInvalid, imageNotFound } from '../image/image-errors.ts';
import { JsonProblem, printable, readJson, readJsonObject } from '../image/json-document.ts';
import { digestOf } from '../image/manifest.ts';
import { formatPlatform, matchesPlatform, parsePlatform } from '../image/platform.ts';
import { MANIFEST_SIZE_MAX_BYTES, MIB } from '../limits.ts';
import { platformOfConfig } from './config-platform.ts';
import { type ImageFiles, readSmallFile } from './image-files.ts';
import { type ImageSelection, wantedText } from './image-selection.ts';
import { matchingReference } from './reference-match.ts';

export const DOCKER_MANIFEST_FILE = 'manifest.json';
const MANIFEST_BYTES_MAX = MANIFEST_SIZE_MAX_BYTES;
const CONFIG_BYTES_MAX = 8 * MIB;

/** One image of the archive. */
export interface SavedImage {
  readonly configPath: string;
  /** `name:tag` each. */
  readonly tags: readonly string[];
  /** In the order of the config's diffIDs. */
  readonly layerPaths: readonly string[];
}

/** The one that is meant, with its config. */
export interface ChosenImage extends SavedImage {
  readonly config: Uint8Array;
  readonly configDigest: Digest;
  readonly platform: Platform | undefined;
  readonly diffIds: readonly Digest[];
}

/** @throws LongshoreError E_IMAGE_INVALID, E_IMAGE_NOT_FOUND, E_IMAGE_AMBIGUOUS, ... */
export async function chooseSavedImage(
  files: ImageFiles,
  selection: ImageSelection,
  signal: AbortSignal,
): Promise<ChosenImage> {
  const { reference, digest } = selection;
  const images = await readSavedImages(files, signal);
  const named =
    reference === undefined ? images : matchingReference(reference, images, ({ tags }) => tags);
  const wanted = selection.platform === undefined ? undefined : parsePlatform(selection.platform);
  const isMeant = (config: Config): boolean => {
    if (digest !== undefined && config.configDigest !== digest) return false;
    if (wanted === undefined) return true;
    return config.platform !== undefined && matchesPlatform(wanted, config.platform);
  };
  // Configs are read one by one, and only the one that is meant stays in memory.
  const found: SavedImage[] = [];
  for (const image of named) {
    const isOnly = images.length === 1 && digest === undefined && wanted === undefined;
    if (isOnly || isMeant(await readConfig(files, image, signal))) found.push(image);
  }
  const [only] = found;
  if (only === undefined) {
    const choices = await linesOf(files, images, signal);
    throw imageNotFound(files.label, wantedText(selection), choices);
  }
  if (found.length > 1) throw imageAmbiguous(files.label, await linesOf(files, found, signal));
  const config = await readConfig(files, only, signal);
  return { ...only, ...config, diffIds: diffIdsOf(files, only, config.config) };
}

async function readSavedImages(
  files: ImageFiles,
  signal: AbortSignal,
): Promise<readonly SavedImage[]> {
  const { label } = files;
  const bytes = await readSmallFile(files, DOCKER_MANIFEST_FILE, MANIFEST_BYTES_MAX, signal);
  if (bytes === undefined) {
    const problem = 'there is no such file, so it is not what docker save writes';
    const remedy = 'if it is an OCI layout in a tar, say so (format oci, oci-archive:)';
    throw imageInvalid(label, DOCKER_MANIFEST_FILE, problem, undefined, remedy);
  }
  const images = new Map<string, SavedImage>();
  try {
    const document = readJson(bytes);
    if (!Array.isArray(document)) throw new JsonProblem('it is not a list of images');
    document.forEach((item: unknown, index) => {
      const image = savedImage(item, `[${index}]`);
      const known = images.get(image.configPath);
      // The same image once more, under other names.
      const tags = [...(known?.tags ?? []), ...image.tags];
      images.set(image.configPath, { ...image, tags });
    });
  } catch (error) {
    if (error instanceof JsonProblem) {
      throw imageInvalid(label, DOCKER_MANIFEST_FILE, error.message);
    }
    throw error;
  }
  return [...images.values()];
}

/** @throws JsonProblem */
function savedImage(item: unknown, where: string): SavedImage {
  if (typeof item !== 'object' || item === null) throw new JsonProblem(`${where} is no object`);
  const { Config, RepoTags, Layers } = item as Record<string, unknown>;
  if (typeof Config !== 'string' || Config === '') {
    throw new JsonProblem(`${where}.Config is not the name of a file`);
  }
  return {
    configPath: Config,
    tags: textsOf(RepoTags, `${where}.RepoTags`),
    layerPaths: textsOf(Layers, `${where}.Layers`),
  };
}

/** Go writes an empty list as null. */
function textsOf(value: unknown, where: string): readonly string[] {
  if (value === null || value === undefined) return [];
  if (Array.isArray(value) && value.every((text) => typeof text === 'string')) return value;
  throw new JsonProblem(`${where} is not a list of texts`);
}

type Config = Pick<ChosenImage, 'config' | 'configDigest' | 'platform'>;

async function readConfig(
  files: ImageFiles,
  { configPath }: SavedImage,
  signal: AbortSignal,
): Promise<Config> {
  const config = await readSmallFile(files, configPath, CONFIG_BYTES_MAX, signal);
  if (config === undefined) {
    const hex = /(?:^|\/)([0-9a-f]{64})(?:\.json)?$/.exec(configPath)?.[1];
    if (hex !== undefined) throw blobMissing(files.label, `sha256:${hex}`);
    throw imageInvalid(
      files.label,
      printable(configPath),
      'it is the config of an image, and not there',
    );
  }
  return { config, configDigest: digestOf(config), platform: platformOfConfig(config) };
}

function diffIdsOf(
  { label }: ImageFiles,
  { configPath, layerPaths }: SavedImage,
  config: Uint8Array,
): readonly Digest[] {
  try {
    const { rootfs } = readJsonObject(config);
    const diffIds =
      typeof rootfs === 'object' && rootfs !== null && 'diff_ids' in rootfs
        ? (rootfs.diff_ids ?? [])
        : undefined;
    if (!Array.isArray(diffIds) || !diffIds.every(isDigest)) {
      throw new JsonProblem('its rootfs.diff_ids is not a list of sha256 digests');
    }
    if (diffIds.length === layerPaths.length) return diffIds;
    const counts = `${diffIds.length} layers, and ${DOCKER_MANIFEST_FILE} has ${layerPaths.length}`;
    throw new JsonProblem(`it names ${counts}`);
  } catch (error) {
    if (error instanceof JsonProblem)
      throw imageInvalid(label, printable(configPath), error.message);
    throw error;
  }
}

/** As one would ask for them, one line each. */
async function linesOf(
  files: ImageFiles,
  images: readonly SavedImage[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  const lines: string[] = [];
  for (const image of images) {
    // One that is damaged must not hide which there are.
    const config = await readConfig(files, image, signal).catch(() => undefined);
    signal.throwIfAborted();
    const platform = config?.platform;
    const where = platform === undefined ? '' : `, ${formatPlatform(platform)}`;
    const name = image.tags[0] ?? config?.configDigest ?? printable(image.configPath);
    lines.push(`${name}  (Docker image${where})`);
  }
  return lines;
}
