/**
 * Remembers which digest an image has in a target when only some of its platforms are taken: it follows
 * from the image's own digest and the platforms. So a run that finds nothing new reads no manifest.
 */

import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Digest, isDigest } from '../digest.ts';
import { MIB } from '../limits.ts';

/** Images that are remembered; those asked for last are kept. */
const ENTRIES_MAX = 100_000;
const FILE_BYTES_MAX: number = 64 * MIB;
/** Of one image, written one after the other. */
const PLATFORMS_CHARACTERS_MAX = 512;
const FILE_NAME = 'platform-digests.json';
/** Another one if the list of chosen platforms should ever be written in another way. */
const VERSION = 1;

/** One for a sync. What cannot be read counts as empty, and what cannot be written is let go. */
export class DigestCache {
  readonly #folder: string | undefined;
  /** The one used longest ago first. */
  readonly #digests: Map<string, Digest>;
  #isChanged = false;
  #writing: Promise<boolean> = Promise.resolve(true);

  /**
   * @param folder made if there is none; without one, nothing outlives the sync. Several processes may use
   * it at once: the last one to write wins, which costs the others' entries and nothing else
   */
  static async open(folder?: string): Promise<DigestCache> {
    return new DigestCache(folder, folder === undefined ? new Map() : await readEntries(folder));
  }

  private constructor(folder: string | undefined, digests: Map<string, Digest>) {
    this.#folder = folder;
    this.#digests = digests;
  }

  /** @param platforms in the order of the mapping */
  get(sourceDigest: Digest, platforms: readonly string[]): Digest | undefined {
    const key = keyOf(sourceDigest, platforms);
    const digest = this.#digests.get(key);
    if (digest === undefined) return undefined;
    this.#digests.delete(key);
    this.#digests.set(key, digest);
    return digest;
  }

  set(sourceDigest: Digest, platforms: readonly string[], digest: Digest): void {
    const key = keyOf(sourceDigest, platforms);
    if (key.length > PLATFORMS_CHARACTERS_MAX) return;
    this.#isChanged ||= this.#digests.get(key) !== digest;
    this.#digests.delete(key);
    this.#digests.set(key, digest);
    const [oldest] = this.#digests.keys();
    if (this.#digests.size > ENTRIES_MAX && oldest !== undefined) this.#digests.delete(oldest);
  }

  /** Writes what is new to the folder. Resolves with whether that went well; never rejects. */
  flush(): Promise<boolean> {
    this.#writing = this.#writing.then(() => this.#write());
    return this.#writing;
  }

  async #write(): Promise<boolean> {
    if (this.#folder === undefined || !this.#isChanged) return true;
    this.#isChanged = false;
    try {
      await replaceFile(this.#folder, textOf(this.#digests));
      return true;
    } catch {
      this.#isChanged = true;
      return false;
    }
  }
}

function keyOf(sourceDigest: Digest, platforms: readonly string[]): string {
  return `${sourceDigest} ${platforms.join(',')}`;
}

/** The first line has the checksum of the rest: half a file, or another one, counts for nothing. */
function textOf(digests: ReadonlyMap<string, Digest>): string {
  const rest = JSON.stringify([...digests]);
  return `${JSON.stringify({ version: VERSION, sha256: sha256(rest) })}\n${rest}\n`;
}

async function readEntries(folder: string): Promise<Map<string, Digest>> {
  try {
    await using file = await open(join(folder, FILE_NAME), 'r');
    if ((await file.stat()).size > FILE_BYTES_MAX) return new Map();
    const [head = '', rest = ''] = (await file.readFile('utf8')).split('\n');
    const { version, sha256: expected } = JSON.parse(head) as Readonly<Record<string, unknown>>;
    if (version !== VERSION || expected !== sha256(rest)) return new Map();
    const entries = JSON.parse(rest) as unknown;
    return isEntries(entries) ? new Map(entries) : new Map();
  } catch {
    return new Map();
  }
}

function isEntries(value: unknown): value is [string, Digest][] {
  return (
    Array.isArray(value) &&
    value.length <= ENTRIES_MAX &&
    value.every(
      (entry) => Array.isArray(entry) && typeof entry[0] === 'string' && isDigest(entry[1]),
    )
  );
}

/** Whoever reads it at the same time sees the old file or the new one. */
async function replaceFile(folder: string, text: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, `${FILE_NAME}.${randomUUID()}`);
  try {
    await using file = await open(path, 'wx');
    await file.writeFile(text);
    // A crash must not leave an empty file under the name.
    await file.sync();
    await rename(path, join(folder, FILE_NAME));
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
