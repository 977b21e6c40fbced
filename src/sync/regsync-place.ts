/** Where regsync's entries lead: a host and what follows it. */

import type { TargetSettings } from './sync-config.ts';

/** `ACCOUNT.dkr.ecr[-fips].REGION.SUFFIX` and `ACCOUNT.dkr-ecr[-fips].REGION.on.aws` (endpoint lists, H). */
const ECR_HOST = /^([0-9]{12})\.dkr[.-]ecr(-fips)?\.([a-z0-9-]+)\.[a-z0-9.-]+$/;

/** Stands where somebody has to say which account is meant. */
const NO_ACCOUNT = '000000000000';

export interface ImportedTarget {
  /** In our `targets`. */
  readonly name: string;
  readonly settings: TargetSettings;
  readonly notes: readonly string[];
  /** What follows the host, with a tag, if there is one. */
  readonly rest: string;
}

/** A registry of ECR becomes a target; anything else one that is to be filled in. */
export function importTarget(target: string): ImportedTarget {
  const slash = target.indexOf('/');
  const host = slash < 0 ? target : target.slice(0, slash);
  const rest = slash < 0 ? '' : target.slice(slash + 1);
  const [, registryId, fips, region] = ECR_HOST.exec(host) ?? [];
  if (registryId !== undefined && region !== undefined) {
    const notes =
      fips === undefined
        ? []
        : [`set endpoint to https://ecr-fips.${region}.amazonaws.com for FIPS`];
    return { name: `${registryId}-${region}`, settings: { region, registryId }, notes, rest };
  }
  const name = host
    .replaceAll(/[^A-Za-z0-9.-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 64);
  const notes = [
    `${host} is not ECR: set the region and registryId of the ECR registry to fill instead (${NO_ACCOUNT} is none)`,
  ];
  // Not to fill the account at hand by mistake.
  const settings = { registryId: NO_ACCOUNT };
  return { name: name === '' ? 'main' : name, settings, notes, rest };
}

/** A variable that a Go template takes from the environment: `{{env "HUB_TOKEN"}}`. */
export function variableOf(template: string): string | undefined {
  return /^\s*\{\{-?\s*env\s+"([A-Za-z_]\w*)"\s*-?\}\}\s*$/.exec(template)?.[1];
}

export function isTemplate(text: string): boolean {
  return text.includes('{{');
}

/** `a/b:tag` in two. */
export function splitRest(rest: string): {
  readonly repository: string;
  readonly tag: string | undefined;
} {
  const colon = rest.indexOf(':', rest.lastIndexOf('/') + 1);
  if (colon < 0) return { repository: rest, tag: undefined };
  return { repository: rest.slice(0, colon), tag: rest.slice(colon + 1) };
}
