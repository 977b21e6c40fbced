import { getProxyForUrl } from 'proxy-from-env';
import { LongshoreError } from '../errors.ts';

/**
 * The proxy for `endpoint`, if any: as the environment says, none, or the one given.
 * @throws LongshoreError E_OPTION_INVALID
 */
export function proxyFor(
  endpoint: string,
  setting: 'environment' | 'none' | URL,
): string | undefined {
  if (setting === 'none') return undefined;
  if (setting instanceof URL) return setting.href;
  const proxyUrl = getProxyForUrl(endpoint);
  if (proxyUrl === '') return undefined;
  if (URL.canParse(proxyUrl)) return proxyUrl;
  // Neither the value nor what the parser says of it: it may hold a password.
  const expected = 'a URL such as http://proxy:3128';
  throw new LongshoreError(
    'E_OPTION_INVALID',
    `the proxy of the environment (HTTPS_PROXY, HTTP_PROXY, ALL_PROXY): expected ${expected}`,
    { option: 'proxy', expected, received: 'something else' },
  );
}
