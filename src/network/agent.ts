/** How a thread, main or worker, reaches an endpoint: keep-alive connections, trust, proxies. */

import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { rootCertificates } from 'node:tls';
import { HttpProxyAgent } from 'http-proxy-agent';
import { HttpsProxyAgent } from 'https-proxy-agent';

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
export function createAgent(route: Route): HttpAgent {
  const { certificateAuthorities, proxyUrl } = route;
  if (route.protocol === 'https:') {
    const trust =
      certificateAuthorities === undefined
        ? {}
        : { ca: [...rootCertificates, certificateAuthorities] };
    const options = { ...OPTIONS, ...trust };
    return proxyUrl === undefined
      ? new HttpsAgent(options)
      : new TrustingProxyAgent(proxyUrl, options, trust);
  }
  return proxyUrl === undefined ? new HttpAgent(OPTIONS) : new HttpProxyAgent(proxyUrl, OPTIONS);
}

/** The proxy agent uses its options for the proxy only; the endpoint behind it needs them as well. */
class TrustingProxyAgent extends HttpsProxyAgent<string> {
  readonly #trust: { readonly ca?: string[] };

  constructor(
    proxyUrl: string,
    options: ConstructorParameters<typeof HttpsProxyAgent<string>>[1],
    trust: { readonly ca?: string[] },
  ) {
    super(proxyUrl, options);
    this.#trust = trust;
  }

  override connect(
    ...[request, options]: Parameters<HttpsProxyAgent<string>['connect']>
  ): ReturnType<HttpsProxyAgent<string>['connect']> {
    return super.connect(request, { ...options, ...this.#trust });
  }
}
