/** What a manifest says. Its bytes are kept as they are: they are what the digest stands for. */

import { createHash } from 'node:crypto';
import { type Digest, digestFromHex, isDigest } from '../digest.ts';
import { MANIFEST_SIZE_MAX_BYTES } from '../limits.ts';
import type { Descriptor, Platform } from './descriptor.ts';
import { imageInvalid, imageUnsupported } from './image-errors.ts';
import { JsonProblem, type JsonObject, printable, readJsonObject } from './json-document.ts';
import { isImageType, isIndexType, OCI_IMAGE, OCI_INDEX } from './media-type.ts';

/** An image, an index, or an artifact (which is an image whose config says nothing). */
export interface Manifest {
  readonly bytes: Uint8Array;
  readonly digest: Digest;
  readonly mediaType: string;
  readonly kind: 'image' | 'index';
  /** Of an image. */
  readonly config: Descriptor | undefined;
  /** Of an image, in their order, which may name one twice. */
  readonly layers: readonly Descriptor[];
  /** Of an index. */
  readonly manifests: readonly Descriptor[];
  /** What this is a referrer of. */
  readonly subject: Descriptor | undefined;
  readonly artifactType: string | undefined;
  readonly annotations: Readonly<Record<string, string>>;
}

/** Where a manifest came from, for messages. */
export interface ManifestOrigin {
  /** The image source's label. */
  readonly source: string;
  /** The media type that its descriptor, or the registry's header, gives it. */
  readonly mediaType?: string;
}

export function digestOf(bytes: Uint8Array): Digest {
  return digestFromHex(createHash('sha256').update(bytes).digest('hex'));
}

/**
 * Reads a manifest of OCI 1.1 or Docker schema 2.
 * @throws LongshoreError E_IMAGE_INVALID; E_IMAGE_UNSUPPORTED for kinds that ECR does not take
 */
export function readManifest(bytes: Uint8Array, origin: ManifestOrigin): Manifest {
  const { source } = origin;
  if (bytes.length > MANIFEST_SIZE_MAX_BYTES) throw manifestTooLarge(source, bytes.length);
  const digest = digestOf(bytes);
  const what = `manifest ${digest}`;
  try {
    const document = readJsonObject(bytes);
    const mediaType = mediaTypeOf(document, origin, what);
    const members = new Members(document, '');
    if (document['schemaVersion'] !== 2) throw new JsonProblem('its schemaVersion is not 2');
    const base = {
      bytes,
      digest,
      mediaType,
      subject: members.optionalDescriptor('subject'),
      artifactType: members.optionalText('artifactType'),
      annotations: members.texts('annotations') ?? {},
    };
    if (isIndexType(mediaType)) {
      const manifests = members.descriptors('manifests');
      return { ...base, kind: 'index', config: undefined, layers: [], manifests };
    }
    const config = members.descriptor('config');
    const layers = members.descriptors('layers');
    return { ...base, kind: 'image', config, layers, manifests: [] };
  } catch (error) {
    if (error instanceof JsonProblem) throw imageInvalid(source, what, error.message);
    throw error;
  }
}

/** Before it is read: nobody needs a manifest of a gigabyte in memory to refuse it. */
export function manifestTooLarge(source: string, sizeBytes: number): Error {
  return imageUnsupported(
    source,
    'a manifest',
    `it has ${sizeBytes} bytes, ECR takes at most ${MANIFEST_SIZE_MAX_BYTES}`,
    'use fewer layers, shorter annotations or fewer platforms',
  );
}

/** Reads a list of descriptors as an OCI layout's `index.json` has it. @throws JsonProblem */
export function readDescriptors(document: JsonObject, name: string): readonly Descriptor[] {
  return new Members(document, '').descriptors(name);
}

function mediaTypeOf(document: JsonObject, origin: ManifestOrigin, what: string): string {
  const own = new Members(document, '').optionalText('mediaType');
  const given = origin.mediaType;
  if (own !== undefined && given !== undefined && own !== given) {
    const said = `it says that it is ${printable(own)}`;
    throw new JsonProblem(`${said}, but is referred to as ${printable(given)}`);
  }
  if ('fsLayers' in document || document['schemaVersion'] === 1) {
    throw imageUnsupported(
      origin.source,
      what,
      'it is of Docker schema 1, which registries no longer take',
      'push it with a current client to its registry first, or build it anew',
    );
  }
  const mediaType = own ?? given ?? guessedType(document);
  if (isImageType(mediaType) || isIndexType(mediaType)) {
    if ('layers' in document && 'manifests' in document) {
      // An image for some readers and an index for others (CVE-2021-41190).
      throw new JsonProblem('it has both layers and manifests');
    }
    return mediaType;
  }
  throw imageUnsupported(
    origin.source,
    what,
    `ECR does not take manifests of type ${printable(mediaType)}`,
    'it takes OCI images and indexes, Docker schema 2 images and lists',
  );
}

/** OCI lets the media type out; then the descriptor has it, and where there is none, the content. */
function guessedType(document: JsonObject): string {
  return 'manifests' in document ? OCI_INDEX : OCI_IMAGE;
}

/** Members of manifests, descriptors and platforms that say what is in an image. */
const MEMBERS: ReadonlyMap<string, string> = new Map(
  (
    'schemaVersion mediaType artifactType config layers manifests subject annotations ' +
    'digest size platform urls os os.version architecture variant'
  )
    .split(' ')
    .map((name) => [folded(name), name]),
);

/** As Go compares the names of members: whatever their case. */
function folded(name: string): string {
  return name.toUpperCase().toLowerCase();
}

/** Reads the members of one JSON object, and names them in what it complains of. */
class Members {
  readonly #object: JsonObject;
  readonly #path: string;

  /** @throws JsonProblem for a member that some readers take for another one */
  constructor(object: JsonObject, path: string) {
    this.#object = object;
    this.#path = path;
    for (const name of Object.keys(object)) {
      const meant = MEMBERS.get(folded(name));
      if (meant === undefined || meant === name) continue;
      throw this.#problem(printable(name), `is what some readers take for ${meant}`);
    }
  }

  descriptors(name: string): readonly Descriptor[] {
    const list = this.#object[name];
    // Go writes an empty list as null.
    if (list === null) return [];
    if (!Array.isArray(list)) throw this.#problem(name, 'is not a list');
    return list.map((item: unknown, index) => this.#descriptor(item, `${name}[${index}]`));
  }

  descriptor(name: string): Descriptor {
    return this.#descriptor(this.#object[name], name);
  }

  optionalDescriptor(name: string): Descriptor | undefined {
    const value = this.#object[name];
    return value === undefined || value === null ? undefined : this.#descriptor(value, name);
  }

  optionalText(name: string): string | undefined {
    const value = this.#object[name];
    if (value === undefined || value === null || value === '') return undefined;
    if (typeof value !== 'string') throw this.#problem(name, 'is not a text');
    return value;
  }

  texts(name: string): Readonly<Record<string, string>> | undefined {
    const value = this.#object[name];
    if (value === undefined || value === null) return undefined;
    const entries = Object.entries(this.#asObject(value, name));
    if (entries.every((entry): entry is [string, string] => typeof entry[1] === 'string')) {
      return Object.fromEntries(entries);
    }
    throw this.#problem(name, 'has a value that is not a text');
  }

  #descriptor(value: unknown, name: string): Descriptor {
    const object = this.#asObject(value, name);
    const members = new Members(object, `${this.#path}${name}.`);
    const { digest, size } = object;
    if (!isDigest(digest)) throw members.#problem('digest', 'is not a sha256 digest');
    if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
      throw members.#problem('size', 'is not a size in bytes');
    }
    const mediaType = members.optionalText('mediaType');
    if (mediaType === undefined) throw members.#problem('mediaType', 'is missing');
    const artifactType = members.optionalText('artifactType');
    const annotations = members.texts('annotations');
    const platform = members.#platform();
    const urls = members.#urls();
    return {
      mediaType,
      digest,
      sizeBytes: size,
      ...(platform !== undefined && { platform }),
      ...(artifactType !== undefined && { artifactType }),
      ...(annotations !== undefined && { annotations }),
      ...(urls !== undefined && { urls }),
    };
  }

  #platform(): Platform | undefined {
    const value = this.#object['platform'];
    if (value === undefined || value === null) return undefined;
    const members = new Members(this.#asObject(value, 'platform'), `${this.#path}platform.`);
    const os = members.optionalText('os');
    const architecture = members.optionalText('architecture');
    // Some tools write an empty platform for what has none.
    if (os === undefined || architecture === undefined) return undefined;
    const variant = members.optionalText('variant');
    const osVersion = members.optionalText('os.version');
    return {
      os,
      architecture,
      ...(variant !== undefined && { variant }),
      ...(osVersion !== undefined && { osVersion }),
    };
  }

  #urls(): readonly string[] | undefined {
    const value = this.#object['urls'];
    if (value === undefined || value === null) return undefined;
    if (Array.isArray(value) && value.every((url) => typeof url === 'string')) return value;
    throw this.#problem('urls', 'is not a list of texts');
  }

  #asObject(value: unknown, name: string): JsonObject {
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return value as JsonObject;
    }
    throw this.#problem(name, 'is not an object');
  }

  #problem(name: string, problem: string): JsonProblem {
    return new JsonProblem(`${this.#path}${name} ${problem}`);
  }
}
