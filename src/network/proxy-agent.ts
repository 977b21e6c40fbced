import { setMaxListeners } from 'node:events';
import type { Agent, AgentOptions } from 'node:http';
import { checkServerIdentity, type ConnectionOptions, type SecureContext } from 'node:tls';
import type { HttpsProxyAgent } from 'https-proxy-agent';

/** More connections than one agent ever has; each listens to the agent's end. */
const CONNECTIONS_MAX = 4096;

interface Trust {
  readonly secureContext?: SecureContext;
}

/** An agent that reaches an endpoint of the given protocol through a proxy. */
export async function createProxyAgent(
  protocol: string,
  proxyUrl: string,
  options: AgentOptions,
  trust: Trust,
): Promise<Agent> {
  // Imported here: both are ES modules, and the worker's one file is not.
  if (protocol !== 'https:') {
    const { HttpProxyAgent } = await import('http-proxy-agent');
    return new HttpProxyAgent(proxyUrl, options);
  }
  const TrustingProxyAgent = extend((await import('https-proxy-agent')).HttpsProxyAgent);
  return new TrustingProxyAgent(proxyUrl, options, trust);
}

/**
 * Mends three things of its parent: options meant for the proxy are not used for the endpoint behind
 * it, an endpoint that is an IP address is checked as "localhost", and a connection to a proxy that
 * never answers is known to nobody and stays open.
 */
function extend(Parent: typeof HttpsProxyAgent) {
  return class TrustingProxyAgent extends Parent<string> {
    readonly #trust: Trust;
    readonly #end: AbortController;

    constructor(proxyUrl: string, options: AgentOptions, trust: Trust) {
      const end = new AbortController();
      setMaxListeners(CONNECTIONS_MAX, end.signal);
      const withEnd: AgentOptions & { signal: AbortSignal } = { ...options, signal: end.signal };
      super(proxyUrl, { ...withEnd, ...trust });
      this.#trust = trust;
      this.#end = end;
    }

    override connect(
      ...[request, options]: Parameters<HttpsProxyAgent<string>['connect']>
    ): ReturnType<HttpsProxyAgent<string>['connect']> {
      const { host } = options;
      const identity: ConnectionOptions =
        host === undefined || host === null
          ? {}
          : { checkServerIdentity: (_name, certificate) => checkServerIdentity(host, certificate) };
      return super.connect(request, { ...options, ...this.#trust, ...identity } as typeof options);
    }

    override destroy(): void {
      super.destroy();
      this.#end.abort();
    }
  };
}
