/** How a thread, main or worker, reaches an endpoint: keep-alive connections, trust, proxies. */

import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { trustBeside } from './trust.ts';

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
  // One context for all connections.
  const trust =
    certificateAuthorities === undefined
      ? {}
      : { secureContext: trustBeside(certificateAuthorities) };
  if (proxyUrl !== undefined) {
    // Loaded only where there is a proxy: every thread would pay for it in memory.
    const { createProxyAgent } = await import('./proxy-agent.ts');
    return createProxyAgent(route.protocol, proxyUrl, OPTIONS, trust);
  }
  return route.protocol === 'https:'
    ? new HttpsAgent({ ...OPTIONS, ...trust })
    : new HttpAgent(OPTIONS);
}
