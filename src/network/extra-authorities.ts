import { readFileSync } from 'node:fs';

/**
 * Authorities of ours make Node forget those that the user added to its own, so they are added again.
 * @param extraPath what `NODE_EXTRA_CA_CERTS` says
 */
export function withExtraAuthorities(authorities: string, extraPath: string | undefined): string {
  if (extraPath === undefined || extraPath === '') return authorities;
  try {
    return `${authorities}\n${readFileSync(extraPath, 'utf8')}`;
  } catch {
    // Node has warned of it at its start.
    return authorities;
  }
}
