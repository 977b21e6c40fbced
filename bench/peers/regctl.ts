import type { Peer, PeerCommand, PeerTarget } from './peer.ts';
import { BEST_IN_FLIGHT, imageName } from './peer.ts';

/** `regctl image copy`, three requests a registry at once by default (regclient). */
export const REGCTL: Peer = {
  name: 'regctl',
  executable: 'regctl',
  install: 'brew install regclient, or go install github.com/regclient/regclient/cmd/regctl@latest',
  versionParameters: ['version'],
  helpParameters: ['image', 'copy', '--help'],
  settings: [
    {
      name: 'default',
      summary: 'only the login and plain HTTP in its configuration',
      command: (target) => copy(target, {}),
    },
    {
      name: 'best',
      summary: `reqConcurrent ${BEST_IN_FLIGHT} in its configuration`,
      command: (target) => copy(target, { reqConcurrent: BEST_IN_FLIGHT }),
    },
  ],
};

function copy(target: PeerTarget, hostSettings: object): PeerCommand {
  const { registryHost, username: user, password: pass } = target;
  const host = { tls: 'disabled', hostname: registryHost, user, pass, ...hostSettings };
  return {
    parameters: ['image', 'copy', `ocidir://${target.layout}:latest`, imageName(target)],
    environment: { REGCTL_CONFIG: `${target.folder}/regctl.json` },
    files: { 'regctl.json': JSON.stringify({ hosts: { [registryHost]: host } }) },
  };
}
