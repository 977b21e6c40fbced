import type { Peer, PeerCommand, PeerTarget } from './peer.ts';
import { BEST_IN_FLIGHT, dockerConfiguration, imageName } from './peer.ts';

/** `oras cp`, three blobs at once by default. */
export const ORAS: Peer = {
  name: 'oras',
  executable: 'oras',
  install: 'brew install oras, apk add oras-cli, or go install oras.land/oras/cmd/oras@latest',
  versionParameters: ['version'],
  helpParameters: ['cp', '--help'],
  settings: [
    { name: 'default', summary: 'no options', command: (target) => copy(target, []) },
    {
      name: 'best',
      summary: `--concurrency ${BEST_IN_FLIGHT}`,
      needs: '--concurrency',
      command: (target) => copy(target, ['--concurrency', String(BEST_IN_FLIGHT)]),
    },
  ],
};

function copy(target: PeerTarget, options: readonly string[]): PeerCommand {
  return {
    parameters: [
      'cp',
      ...options,
      '--from-oci-layout',
      '--to-plain-http',
      '--to-registry-config',
      `${target.folder}/config.json`,
      `${target.layout}:latest`,
      imageName(target),
    ],
    files: { 'config.json': dockerConfiguration(target) },
  };
}
