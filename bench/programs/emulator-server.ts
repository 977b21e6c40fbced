/** The server of a benchmark: longshore's emulator in a process of its own, keeping nothing. */

import type { Emulator, NetworkOptions } from 'longshore/emulator';
import { startEmulator } from 'longshore/emulator';
import type { Link, ServerJob } from '../harness/protocol.ts';
import { activityOf } from '../harness/wire-activity.ts';
import { listen, say } from './conversation.ts';

let started = false;
let emulator: Emulator | undefined;
let sequenceAsked = 0;

// The first line starts the server, every further one asks what it has used so far.
listen((value) => {
  if (started) {
    const { user, system } = process.cpuUsage();
    const entries = emulator?.journal.entries() ?? [];
    const activity = activityOf(entries.filter(({ sequence }) => sequence > sequenceAsked));
    sequenceAsked = entries.at(-1)?.sequence ?? sequenceAsked;
    say({ cpuMs: (user + system) / 1000, rssBytes: process.memoryUsage.rss(), activity });
    return;
  }
  started = true;
  start(value as ServerJob).then(say, (error: unknown) => {
    console.error(error);
    process.exit(1);
  });
});

async function start({ tls, link, quotas }: ServerJob): Promise<unknown> {
  emulator = await startEmulator({
    discard: true,
    ...(tls !== undefined && { tls: { key: tls.key, cert: tls.certificate } }),
    ...(quotas === true && { quotas: 'ecr' as const }),
    ...(link !== undefined && { network: networkOf(link) }),
  });
  const { endpoint, region, credentials, registryHost: host } = emulator;
  return { endpoint, region, credentials, registry: { host, ...emulator.dockerCredentials() } };
}

/** Only parts take the service its time: they are what there are many of. */
function networkOf({ partServiceTimeMs, ...lines }: Link): NetworkOptions {
  return { ...lines, serviceTimeMs: { UploadLayerPart: partServiceTimeMs } };
}
