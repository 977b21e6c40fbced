/** Which certificates a registry may have. */

import { X509Certificate } from 'node:crypto';
import type { SecureContext } from 'node:tls';
import { optionInvalid } from '../errors.ts';
import { withExtraAuthorities } from '../network/extra-authorities.ts';
import { trustBeside } from '../network/trust.ts';

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/**
 * One context for all connections.
 * @param extraPath the file with which the user adds to Node's own certificates
 * @throws LongshoreError E_OPTION_INVALID
 */
export function trustOf(
  authorities: string | undefined,
  extraPath: string | undefined,
): { readonly secureContext?: SecureContext } {
  if (authorities === undefined) return {};
  // Node itself passes over what it cannot read, and then trusts too few without a word.
  if (!(authorities.match(CERTIFICATE) ?? []).some(isCertificate)) {
    throw optionInvalid('certificateAuthorities', 'PEM certificates', 'something else');
  }
  return { secureContext: trustBeside(withExtraAuthorities(authorities, extraPath)) };
}

function isCertificate(text: string): boolean {
  try {
    return new X509Certificate(text).subject !== '';
  } catch {
    return false;
  }
}
