/** The server of a benchmark: longshore's emulator in a process of its own, keeping nothing. */

import { startEmulator } from 'longshore/emulator';
import type { ServerJob } from '../harness/protocol.ts';
import { listen, say } from './conversation.ts';

let started = false;

// The first line starts the server, every further one asks what it has used so far.
listen((value) => {
  if (started) {
    const { user, system } = process.cpuUsage();
    say({ cpuMs: (user + system) / 1000, rssBytes: process.memoryUsage.rss() });
    return;
  }
  started = true;
  start(value as ServerJob).then(say, (error: unknown) => {
    console.error(error);
    process.exit(1);
  });
});

async function start({ tls, network }: ServerJob): Promise<unknown> {
  const emulator = await startEmulator({
    discard: true,
    ...(tls !== undefined && { tls: { key: tls.key, cert: tls.certificate } }),
    ...(network !== undefined && {
      network: {
        roundTripMs: network.roundTripMs,
        bytesPerSecondPerConnection: network.bytesPerSecondPerConnection,
        serviceTimeMs: { UploadLayerPart: network.partServiceTimeMs },
      },
    }),
  });
  const { endpoint, region, credentials } = emulator;
  return { endpoint, region, credentials };
}
