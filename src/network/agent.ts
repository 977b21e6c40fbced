/** How a thread, main or worker, reaches an endpoint: keep-alive connections, trust, proxies. */

import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { createSecureContext, type SecureContext } from 'node:tls';

/** Idle connections kept by one thread; parts in flight are bounded elsewhere. */
const IDLE_CONNECTIONS_MAX = 64;

const OPTIONS = {
  keepAlive: true,
  maxFreeSockets: IDLE_CONNECTIONS_MAX,
  scheduling: 'lifo',
} as const;

/** What {@link createAgent} needs to know. */
export interface Route {
  /** `http:` or `https:`, of the endpoint. */
  readonly protocol: string;
  readonly certificateAuthorities: string | undefined;
  readonly proxyUrl: string | undefined;
}

/** An agent with several HTTP/1.1 keep-alive connections to an endpoint, through a proxy or not. */
export async function createAgent(route: Route): Promise<HttpAgent> {
  const { certificateAuthorities, proxyUrl } = route;
  const trust =
    certificateAuthorities === undefined ? {} : { secureContext: trusting(certificateAuthorities) };
  if (proxyUrl !== undefined) {
    // Loaded only where there is a proxy: every thread would pay for it in memory.
    const { createProxyAgent } = await import('./proxy-agent.ts');
    return createProxyAgent(route.protocol, proxyUrl, OPTIONS, trust);
  }
  return route.protocol === 'https:'
    ? new HttpsAgent({ ...OPTIONS, ...trust })
    : new HttpAgent(OPTIONS);
}

/**
 * One context for all connections, which trusts these authorities beside those that Node trusts by
 * itself. Given as `ca`, Node's own would be read from text once more, 30 ms in each thread (Node 20).
 */
function trusting(certificateAuthorities: string): SecureContext {
  const secureContext = createSecureContext();
  (secureContext.context as { addCACert(pem: string): void }).addCACert(certificateAuthorities);
  return secureContext;
}
