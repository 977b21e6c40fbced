/** Which of the peers this machine has. */

import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { CRANE } from './crane.ts';
import { ORAS } from './oras.ts';
import type { Peer, PeerSetting } from './peer.ts';
import { REGCTL } from './regctl.ts';
import { SKOPEO } from './skopeo.ts';

export const PEERS: readonly Peer[] = [SKOPEO, CRANE, REGCTL, ORAS];

const ASK_TIMEOUT_MS = 10_000;

export interface FoundPeer {
  readonly peer: Peer;
  readonly file: string;
  readonly version: string;
  /** Those that the installed version knows. */
  readonly settings: readonly PeerSetting[];
}

export interface PeerSearch {
  readonly found: readonly FoundPeer[];
  /** A sentence for each that is missing, or lacks what its best setting needs. */
  readonly notes: readonly string[];
}

/** @param path folders as in the variable `PATH` */
export function findPeers(
  path: string = process.env['PATH'] ?? '',
  peers: readonly Peer[] = PEERS,
): PeerSearch {
  const found: FoundPeer[] = [];
  const notes: string[] = [];
  for (const peer of peers) {
    const file = findExecutable(peer.executable, path);
    if (file === undefined) {
      notes.push(`${peer.name} is missing: ${peer.install}`);
      continue;
    }
    const help = ask(file, peer.helpParameters);
    const settings = peer.settings.filter(
      ({ needs }) => needs === undefined || help.includes(needs),
    );
    const version = /\d+\.\d+[^\s,;]*/.exec(ask(file, peer.versionParameters))?.[0] ?? 'unknown';
    found.push({ peer, file, version, settings });
    for (const setting of peer.settings) {
      if (!settings.includes(setting)) {
        notes.push(
          `${peer.name} ${version} has no ${String(setting.needs)}: only its default setting runs`,
        );
      }
    }
  }
  return { found, notes };
}

function findExecutable(name: string, path: string): string | undefined {
  return path
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** All that it prints; nothing for a program that cannot be asked. */
function ask(file: string, parameters: readonly string[]): string {
  const { stdout, stderr } = spawnSync(file, parameters, {
    encoding: 'utf8',
    timeout: ASK_TIMEOUT_MS,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return `${stdout ?? ''}\n${stderr ?? ''}`;
}
