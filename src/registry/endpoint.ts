/** Where a registry is reached. */

/** Docker Hub is reached elsewhere than it is called. */
const DOCKER_HUB = 'docker.io';
const DOCKER_HUB_ENDPOINT = 'registry-1.docker.io';

const LOOPBACK = /^(localhost|.+\.localhost|127\.[0-9]+\.[0-9]+\.[0-9]+|\[::1\])$/;

/**
 * The base of all requests to a registry.
 * @param plainHttp default: only where the bytes do not leave this machine
 */
export function endpointOf(registry: string, plainHttp: boolean | undefined): URL {
  const secure = new URL(`https://${registry === DOCKER_HUB ? DOCKER_HUB_ENDPOINT : registry}`);
  if (!(plainHttp ?? LOOPBACK.test(secure.hostname))) return secure;
  return new URL(`http://${registry === DOCKER_HUB ? DOCKER_HUB_ENDPOINT : registry}`);
}

/** The names under which the tools keep a registry's credentials, the usual one first. */
export function credentialNamesOf(registry: string): readonly string[] {
  if (registry !== DOCKER_HUB) return [registry];
  return ['index.docker.io', DOCKER_HUB, DOCKER_HUB_ENDPOINT];
}

/** What credential helpers are asked for: a host, or for Docker Hub the URL of its first version. */
export function helperServerOf(registry: string): string {
  return registry === DOCKER_HUB ? 'https://index.docker.io/v1/' : registry;
}

/** What to give `docker login`. */
export function loginHostOf(registry: string): string {
  return registry === DOCKER_HUB ? '' : ` ${registry}`;
}
