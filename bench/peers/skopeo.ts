import type { Peer, PeerCommand, PeerTarget } from './peer.ts';
import { BEST_IN_FLIGHT, dockerConfiguration, imageName } from './peer.ts';

/** `skopeo copy`, six layers at once by default (containers/image). */
export const SKOPEO: Peer = {
  name: 'skopeo',
  executable: 'skopeo',
  install: 'apt-get install skopeo, dnf install skopeo, brew install skopeo',
  versionParameters: ['--version'],
  helpParameters: ['copy', '--help'],
  settings: [
    {
      name: 'default',
      summary: 'no options',
      command: (target) => copy(target, []),
    },
    {
      name: 'best',
      summary: `--image-parallel-copies ${BEST_IN_FLIGHT}`,
      needs: '--image-parallel-copies',
      command: (target) => copy(target, ['--image-parallel-copies', String(BEST_IN_FLIGHT)]),
    },
  ],
};

function copy(target: PeerTarget, options: readonly string[]): PeerCommand {
  return {
    parameters: [
      // Containers' signature policy is a file of the system that may be missing.
      '--insecure-policy',
      'copy',
      ...options,
      '--dest-tls-verify=false',
      '--dest-authfile',
      `${target.folder}/auth.json`,
      `oci:${target.layout}:latest`,
      `docker://${imageName(target)}`,
    ],
    files: { 'auth.json': dockerConfiguration(target) },
  };
}
