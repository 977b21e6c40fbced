import { getProxyForUrl } from 'proxy-from-env';

/** The proxy for `endpoint`, if any: as the environment says, none, or the one given. */
export function proxyFor(
  endpoint: string,
  setting: 'environment' | 'none' | URL,
): string | undefined {
  if (setting === 'none') return undefined;
  if (setting instanceof URL) return setting.href;
  const proxyUrl = getProxyForUrl(endpoint);
  return proxyUrl === '' ? undefined : proxyUrl;
}
