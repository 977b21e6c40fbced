/** Docker's configuration file, and the `auth.json` of other tools, as far as they hold credentials. */

import { createReadStream } from 'node:fs';
import { systemCodeOf } from '../errors.ts';

/** A login, or a token that gets tokens. */
export type StoredCredentials =
  | { readonly username: string; readonly password: string }
  | { readonly identityToken: string };

export interface DockerConfig {
  /** Host, or host and path, without scheme. */
  readonly auths: ReadonlyMap<string, StoredCredentials>;
  /** Helper by host. */
  readonly helpers: ReadonlyMap<string, string>;
  /** The helper for all hosts. */
  readonly store: string | undefined;
}

/** Says what is wrong with the file; the text holds nothing of what is in it. */
export class ConfigProblem extends Error {}

/** Configurations have a few kilobytes. */
const CONFIG_BYTES_MAX = 1024 * 1024;

/**
 * @returns `undefined` if there is no such file
 * @throws ConfigProblem; the signal's reason
 */
export async function readDockerConfig(
  path: string,
  signal: AbortSignal,
): Promise<DockerConfig | undefined> {
  let document: unknown;
  try {
    document = JSON.parse(await readText(path, signal));
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    const code = systemCodeOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    if (error instanceof ConfigProblem) throw error;
    // A parser quotes what it cannot read, which may be a password.
    throw new ConfigProblem(`${path} ${code === undefined ? 'is not JSON' : `gives ${code}`}`);
  }
  const root = objectOf(document);
  const { credsStore } = root;
  return {
    auths: authsOf(objectOf(root['auths'])),
    helpers: new Map(
      Object.entries(objectOf(root['credHelpers'])).flatMap(([host, helper]) =>
        typeof helper === 'string' ? [[hostOf(host), helper]] : [],
      ),
    ),
    store: typeof credsStore === 'string' && credsStore !== '' ? credsStore : undefined,
  };
}

/**
 * The credentials for a repository: those of the longest path that holds it.
 * @param names the registry's names, the usual one first
 */
export function storedFor(
  auths: DockerConfig['auths'],
  names: readonly string[],
  repository: string,
): StoredCredentials | undefined {
  const parts = repository.split('/');
  for (let count = parts.length; count >= 0; count -= 1) {
    for (const name of names) {
      const found = auths.get([name, ...parts.slice(0, count)].join('/'));
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

async function readText(path: string, signal: AbortSignal): Promise<string> {
  const pieces: Buffer[] = [];
  let sizeBytes = 0;
  for await (const piece of createReadStream(path, { signal }) as AsyncIterable<Buffer>) {
    sizeBytes += piece.length;
    if (sizeBytes > CONFIG_BYTES_MAX) {
      throw new ConfigProblem(`${path} has more than ${CONFIG_BYTES_MAX} bytes`);
    }
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}

function authsOf(entries: Readonly<Record<string, unknown>>): DockerConfig['auths'] {
  const auths = new Map<string, StoredCredentials>();
  for (const [key, entry] of Object.entries(entries)) {
    const stored = storedIn(objectOf(entry));
    const name = hostOf(key);
    // An exact key counts more than one that has to be read as a URL.
    if (stored !== undefined && (name === key || !auths.has(name))) auths.set(name, stored);
  }
  return auths;
}

function storedIn(entry: Readonly<Record<string, unknown>>): StoredCredentials | undefined {
  const { identitytoken, username, password, auth } = entry;
  if (typeof identitytoken === 'string' && identitytoken !== '') {
    return { identityToken: identitytoken };
  }
  if (typeof auth === 'string' && auth !== '') {
    const pair = Buffer.from(auth, 'base64').toString('utf8');
    const colon = pair.indexOf(':');
    if (colon <= 0) return undefined;
    // Old versions of Docker filled up with zeros.
    return { username: pair.slice(0, colon), password: withoutEnd(pair.slice(colon + 1), '\0') };
  }
  if (typeof username === 'string' && typeof password === 'string' && username !== '') {
    return { username, password };
  }
  return undefined;
}

/** `https://index.docker.io/v1/` is `index.docker.io`; paths of repositories stay. */
function hostOf(key: string): string {
  return withoutEnd(key.replace(/^https?:\/\//i, ''), '/').replace(/\/v[12]$/, '');
}

/** Without that character at its end. A pattern would take the square of the length. */
function withoutEnd(text: string, character: string): string {
  let end = text.length;
  while (text[end - 1] === character) end -= 1;
  return text.slice(0, end);
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
