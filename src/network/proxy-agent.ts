import type { Agent, AgentOptions } from 'node:http';
import { HttpProxyAgent } from 'http-proxy-agent';
import { HttpsProxyAgent } from 'https-proxy-agent';

interface Trust {
  readonly ca?: string[];
}

/** An agent that reaches an endpoint of the given protocol through a proxy. */
export function createProxyAgent(
  protocol: string,
  proxyUrl: string,
  options: AgentOptions,
  trust: Trust,
): Agent {
  return protocol === 'https:'
    ? new TrustingProxyAgent(proxyUrl, { ...options, ...trust }, trust)
    : new HttpProxyAgent(proxyUrl, options);
}

/** The proxy agent uses its options for the proxy only; the endpoint behind it needs them as well. */
class TrustingProxyAgent extends HttpsProxyAgent<string> {
  readonly #trust: Trust;

  constructor(
    proxyUrl: string,
    options: ConstructorParameters<typeof HttpsProxyAgent<string>>[1],
    trust: Trust,
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
