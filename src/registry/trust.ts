/** Which certificates a registry may have. */

import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext, rootCertificates, type SecureContext } from 'node:tls';
import { optionInvalid } from '../errors.ts';

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/**
 * One context for all connections: reading Node's own certificates takes time and memory.
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
  const ca = [...rootCertificates, authorities, ...extraAuthorities(extraPath)];
  return { secureContext: createSecureContext({ ca }) };
}

function isCertificate(text: string): boolean {
  try {
    return new X509Certificate(text).subject !== '';
  } catch {
    return false;
  }
}

/** Authorities of ours replace Node's, so those that the user added to Node's are added again. */
function extraAuthorities(path: string | undefined): readonly string[] {
  if (path === undefined || path === '') return [];
  try {
    return [readFileSync(path, 'utf8')];
  } catch {
    // Node has warned of it at its start.
    return [];
  }
}
