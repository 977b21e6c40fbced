import type { Peer, PeerCommand, PeerTarget } from './peer.ts';
import { BEST_IN_FLIGHT, dockerConfiguration, imageName } from './peer.ts';

/** `crane push`. It has no option for layers at once; what it has of Go's runtime is `GOMAXPROCS`. */
export const CRANE: Peer = {
  name: 'crane',
  executable: 'crane',
  install:
    'brew install crane, or go install github.com/google/go-containerregistry/cmd/crane@latest',
  versionParameters: ['version'],
  helpParameters: ['push', '--help'],
  settings: [
    { name: 'default', summary: 'no options', command: (target) => push(target, {}) },
    {
      name: 'best',
      summary: `GOMAXPROCS=${BEST_IN_FLIGHT}`,
      command: (target) => push(target, { GOMAXPROCS: String(BEST_IN_FLIGHT) }),
    },
  ],
};

function push(target: PeerTarget, environment: Readonly<Record<string, string>>): PeerCommand {
  return {
    parameters: ['push', '--insecure', target.layout, imageName(target)],
    environment: { ...environment, DOCKER_CONFIG: target.folder },
    files: { 'config.json': dockerConfiguration(target) },
  };
}
