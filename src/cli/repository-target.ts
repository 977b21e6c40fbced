/** Where an image goes to, or is read back from: `[REGISTRY HOST/]NAME[:TAG][@DIGEST]`. */

import type { Digest, UploaderOptions } from '../index.ts';
import { UsageError } from './usage-error.ts';

export interface RepositoryTarget {
  readonly repository: string;
  readonly tag: string | undefined;
  readonly digest: Digest | undefined;
  /** What the registry host says, if one is given. */
  readonly host: EcrHost | undefined;
}

export interface EcrHost {
  readonly name: string;
  readonly registryId: string;
  readonly region: string;
  readonly isFips: boolean;
  readonly isDualStack: boolean;
}

/** OCI's rule; ECR itself would take longer ones, which nobody could pull by then. */
const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;
/** What ECR's own pattern is made of; the library checks the rest. */
const REPOSITORY = /^[a-z0-9][a-z0-9._/-]*$/;
/** `ACCOUNT.dkr.ecr.REGION.amazonaws.com`, the dual-stack form, and the partitions beside AWS's own. */
const ECR_HOST = new RegExp(
  String.raw`^([0-9]{12})\.dkr([.-])ecr(-fips)?\.([a-z0-9-]+)\.` +
    String.raw`(?:amazonaws\.(?:com|com\.cn|eu)|on\.(?:aws|amazonwebservices\.com\.cn)|` +
    String.raw`c2s\.ic\.gov|sc2s\.sgov\.gov|cloud\.adc-e\.uk|csp\.hci\.ic\.gov)$`,
);
const EXAMPLE = 'team/app:1.0';

export function isTag(text: string): boolean {
  return TAG.test(text);
}

/** @throws UsageError */
export function parseRepositoryTarget(text: string): RepositoryTarget {
  const [named = '', digest, ...surplus] = text.split('@');
  if (surplus.length > 0 || (digest !== undefined && !DIGEST.test(digest))) {
    throw new UsageError(`${text}: after @, expected sha256: and 64 lower-case hexadecimal digits`);
  }
  const { host, rest } = splitHost(named);
  const colon = rest.indexOf(':');
  const repository = colon < 0 ? rest : rest.slice(0, colon);
  const tag = colon < 0 ? undefined : rest.slice(colon + 1);
  if (!REPOSITORY.test(repository)) {
    throw new UsageError(
      `${text}: expected a repository such as ${EXAMPLE}, in lower case: NAME[:TAG], where NAME ` +
        'may begin with the host of an ECR registry',
    );
  }
  if (tag !== undefined && !isTag(tag)) throw new UsageError(`${text}: ${wrongTag(tag)}`);
  return { repository, tag, digest: digest as Digest | undefined, host };
}

export function wrongTag(tag: string): string {
  return (
    `'${tag}' is no tag; expected up to 128 letters, digits, '_', '-' and '.', ` +
    "the first not '-' or '.'"
  );
}

/**
 * What the host says as options of the library.
 * @throws UsageError where an option says something else
 */
export function hostOptionsOf(
  host: EcrHost | undefined,
  flags: { readonly region?: string; readonly registryId?: string },
): Pick<UploaderOptions, 'region' | 'registryId' | 'client'> {
  if (host === undefined) return {};
  agree(host, '--region', host.region, flags.region);
  agree(host, '--registry-id', host.registryId, flags.registryId);
  const { region, registryId, isFips, isDualStack } = host;
  const client = {
    ...(isFips && { useFipsEndpoint: true }),
    ...(isDualStack && { useDualstackEndpoint: true }),
  };
  return { region, registryId, ...((isFips || isDualStack) && { client }) };
}

function agree(host: EcrHost, flag: string, ofHost: string, given: string | undefined): void {
  if (given === undefined || given === ofHost) return;
  throw new UsageError(`${flag} is ${given}, but ${host.name} says ${ofHost}; leave one out`);
}

/** A host is one of ECR's, or has a port; anything else with a dot may be a repository's own name. */
function splitHost(text: string): {
  readonly host: EcrHost | undefined;
  readonly rest: string;
} {
  const slash = text.indexOf('/');
  const name = slash < 0 ? '' : text.slice(0, slash);
  const match = ECR_HOST.exec(name);
  if (match !== null) {
    const [, registryId = '', separator, fips, region = ''] = match;
    const isFips = fips !== undefined;
    const host = { name, registryId, region, isFips, isDualStack: separator === '-' };
    return { host, rest: text.slice(slash + 1) };
  }
  if (name === 'public.ecr.aws') {
    throw new UsageError(`${name} is ECR Public, another service; longshore pushes to private ECR`);
  }
  if (name.includes(':')) {
    throw new UsageError(
      `${text}: ${name} is not the host of an ECR registry; give the repository's name alone, ` +
        'and --endpoint-url for an ECR of your own',
    );
  }
  return { host: undefined, rest: text };
}
