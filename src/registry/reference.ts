/** Which image of which registry: references as Docker writes them. */

import { parseFamiliarName, Reference } from '@swimlane/docker-reference';
import { type Digest, isDigest } from '../digest.ts';
import { LongshoreError, optionInvalid } from '../errors.ts';

/** A reference with everything said that people leave out. */
export interface RegistryReference {
  /** Host and port as people write them: `docker.io`, `127.0.0.1:5000`, `[::1]:5000`. */
  readonly registry: string;
  /** `library/alpine`. */
  readonly repository: string;
  /** `latest` where neither tag nor digest was given. */
  readonly tag: string | undefined;
  /** It decides, where there is a tag as well. */
  readonly digest: Digest | undefined;
}

/** Name of at most 255 characters, tag of 128, digest: nothing longer can be a reference. */
const REFERENCE_CHARACTERS_MAX = 512;
/** Docker's bound on registry and repository together. */
const NAME_CHARACTERS_MAX = 255;

const IPV6 = /^(\[[0-9a-f:.]+\](?::[0-9]+)?)\/(.+)$/i;
const DOMAIN_LABEL = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/i;
const PORT = /^[0-9]{1,5}$/;
const PATH_PART = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*$/;
const TAG = /^\w[\w.-]{0,127}$/;

const EXPECTED =
  'an image of a registry such as alpine, registry.example.com/team/app:1.0 or ' +
  '[::1]:5000/app@sha256:<64 hexadecimal digits>, in lower case and without https://';

/**
 * Reads a reference, the short forms of Docker Hub included: `alpine` is
 * `docker.io/library/alpine:latest`.
 * @throws LongshoreError E_OPTION_INVALID
 */
export function parseReference(text: string): RegistryReference {
  try {
    if (text.length > REFERENCE_CHARACTERS_MAX) throw new Error('too long');
    const [, address, rest] = IPV6.exec(text) ?? [];
    // The package knows Docker's short forms, but no IPv6. Its own grammar takes exponential time for
    // some names, so it is given ours.
    const parsed =
      address === undefined || rest === undefined
        ? parseFamiliarName(text, parseQualified)
        : parseRest(address, rest);
    return completed(parsed);
  } catch (error) {
    if (LongshoreError.is(error)) throw error;
    throw optionInvalid('reference', EXPECTED, shown(text));
  }
}

/** The reference in full. */
export function formatReference(reference: RegistryReference): string {
  const { registry, repository, tag, digest } = reference;
  const suffix = `${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
  return `${registry}/${repository}${suffix}`;
}

/** `domain/path[:tag][@digest]`, in time that grows with the length only. */
function parseQualified(text: string): Reference {
  const slash = text.indexOf('/');
  const domain = text.slice(0, slash);
  const [host = '', port, ...more] = domain.split(':');
  const isDomain = host.split('.').every((label) => DOMAIN_LABEL.test(label)) && more.length === 0;
  if (!isDomain || (port !== undefined && !PORT.test(port))) throw new Error('no domain');
  return parseRest(domain, text.slice(slash + 1));
}

function parseRest(domain: string, rest: string): Reference {
  const at = rest.indexOf('@');
  const named = at < 0 ? rest : rest.slice(0, at);
  const digest = at < 0 ? undefined : rest.slice(at + 1);
  const colon = named.indexOf(':');
  const repository = colon < 0 ? named : named.slice(0, colon);
  const tag = colon < 0 ? undefined : named.slice(colon + 1);
  if (!repository.split('/').every((part) => PATH_PART.test(part))) throw new Error('no path');
  if (domain.length + 1 + repository.length > NAME_CHARACTERS_MAX) throw new Error('too long');
  if (tag !== undefined && !TAG.test(tag)) throw new Error('no tag');
  return new Reference({
    domain,
    repository,
    ...(tag !== undefined && { tag }),
    ...(digest !== undefined && { digest: sha256(digest) }),
  });
}

function sha256(digest: string): Digest {
  if (isDigest(digest)) return digest;
  throw new Error('no digest');
}

function completed({ domain, repository, tag, digest }: Reference): RegistryReference {
  // Ports and addresses out of range.
  if (domain === undefined || repository === undefined || !URL.canParse(`https://${domain}`)) {
    throw new Error('no host');
  }
  if (digest === undefined) {
    return { registry: domain, repository, tag: tag ?? 'latest', digest: undefined };
  }
  return { registry: domain, repository, tag, digest: sha256(digest) };
}

/** What was received, without a password that somebody put before the host. */
function shown(text: string): string {
  // Cut off before it, a password would not be seen as one; and the search takes the square of the length.
  if (text.length > REFERENCE_CHARACTERS_MAX) return `a text of ${text.length} characters`;
  const harmless = text.replace(/[^/@\s:]*:[^/@\s]*@(?!sha256:)/, '***@');
  return JSON.stringify(harmless.slice(0, 200));
}
