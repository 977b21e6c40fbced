import { createSecureContext, type SecureContext } from 'node:tls';

/**
 * A context for TLS that trusts these authorities beside those that came with Node. Given as `ca`, they
 * would replace Node's, and reading those once more from text takes 40 to 80 ms for each context (Node
 * 20); so Node's are read once a process. Those of `NODE_EXTRA_CA_CERTS` are not among them.
 * @param certificateAuthorities PEM
 */
export function trustBeside(certificateAuthorities: string): SecureContext {
  const secureContext = createSecureContext();
  (secureContext.context as { addCACert(pem: string): void }).addCACert(certificateAuthorities);
  return secureContext;
}
