/** One push by a peer, with the same figures as a contestant's run. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cleanUpAtExit } from '../harness/cleanup.ts';
import type { Run } from '../harness/contestant-run.ts';
import type { ImageLayout } from '../harness/image-layout.ts';
import { MachineLoad } from '../harness/machine-load.ts';
import type { Server } from '../harness/server-process.ts';
import type { PeerSetting } from './peer.ts';
import { measureProcess } from './peer-process.ts';
import type { FoundPeer } from './peer-search.ts';

/** @throws Error with what the program printed, if it fails or the image is not there afterwards */
export async function runPeer(
  { peer, file }: FoundPeer,
  setting: PeerSetting,
  { folder: layout, layers, digest }: ImageLayout,
  server: Server,
): Promise<Run> {
  const repository = await server.createRepository();
  const folder = mkdtempSync(join(tmpdir(), 'longshore-bench-'));
  const remove = cleanUpAtExit(() => rmSync(folder, { recursive: true, force: true }));
  try {
    const { host: registryHost, username, password } = server.address.registry;
    const target = { layout, registryHost, repository, username, password, folder };
    const { parameters, environment = {}, files = {} } = setting.command(target);
    for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
    const before = await server.usage();
    const ownBefore = process.cpuUsage();
    const load = new MachineLoad();
    const cost = await measureProcess(file, parameters, {
      // Nothing of this user's settings, logins and proxies.
      PATH: process.env['PATH'],
      HOME: folder,
      TMPDIR: folder,
      ...environment,
    });
    const after = await server.usage();
    const own = process.cpuUsage(ownBefore);
    if (cost.exitCode !== 0) {
      throw new Error(`${peer.name} ended with ${String(cost.exitCode)}: ${cost.output.trim()}`);
    }
    const pushed = await server.latestDigest(repository);
    if (pushed !== digest) {
      throw new Error(`${peer.name} was to push ${digest}, the registry has ${String(pushed)}`);
    }
    const serverCpuMs = after.cpuMs - before.cpuMs;
    const cpuMs = cost.cpuUserMs + cost.cpuSystemMs;
    return {
      layerBytes: layers.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
      digests: [],
      wallMs: cost.wallMs,
      processWallMs: cost.wallMs,
      cpuUserMs: cost.cpuUserMs,
      cpuSystemMs: cost.cpuSystemMs,
      cpuLifetimeMs: cpuMs,
      rssBeforeBytes: Number.NaN,
      rssPeakBytes: cost.rssPeakBytes,
      rssSampledPeakBytes: cost.rssPeakBytes,
      rssLifetimePeakBytes: cost.rssPeakBytes,
      loopDelayP50Ms: Number.NaN,
      loopDelayP99Ms: Number.NaN,
      loopDelayMaxMs: Number.NaN,
      activity: after.activity,
      serverCpuMs,
      foreignShare: load.foreignShare(cpuMs + serverCpuMs + (own.user + own.system) / 1000),
      endedByItself: true,
    };
  } finally {
    remove();
  }
}
