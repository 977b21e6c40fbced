/** The target of a sync's benchmark: an emulator that keeps what it gets, and counts what it is asked. */

import type { Emulator } from 'longshore/emulator';
import { startEmulator } from 'longshore/emulator';
import type { SyncTargetJob, SyncTargetUsage } from '../sync/sync-protocol.ts';
import { CallTally } from '../../test/sync/call-tally.ts';
import { allowMounts, type TagState, tagsIn } from '../../test/sync/target-state.ts';
import { listen, say } from './conversation.ts';

let emulator: Emulator | undefined;
let tally: CallTally | undefined;

// The first line starts the server, every further one names repositories and asks for what is there.
listen((value) => {
  const answer =
    emulator === undefined ? start(value as SyncTargetJob) : usage(emulator, value as string[]);
  answer.then(say, (error: unknown) => {
    console.error(error);
    process.exit(1);
  });
});

async function start({ quotas, roundTripMs }: SyncTargetJob): Promise<unknown> {
  // Who does not create repositories gets them by pushing.
  emulator = await startEmulator({
    missingRepository: 'create',
    quotas: quotas ? 'ecr' : 'off',
    ...(roundTripMs !== undefined && { network: { roundTripMs } }),
  });
  await allowMounts(emulator);
  tally = new CallTally(emulator);
  const { endpoint, registryHost: host, region } = emulator;
  const environment = emulator.environment();
  return { endpoint, host, region, environment, ...emulator.dockerCredentials() };
}

async function usage(target: Emulator, repositories: readonly string[]): Promise<SyncTargetUsage> {
  const counts = tally?.counts();
  if (counts === undefined) throw new Error('asked before it was started');
  const tags: string[] = [];
  for (const repository of repositories) {
    // One that nobody has pushed to is not there.
    const state: TagState = await tagsIn(target, [repository]).catch(() => ({}));
    for (const [tag, digest] of Object.entries(state[repository] ?? {})) {
      tags.push(`${repository}:${tag} ${digest}`);
    }
  }
  const { user, system } = process.cpuUsage();
  const places = repositories.flatMap((name) => target.layers(name).map(({ digest }) => digest));
  tally?.clear();
  return {
    callCount: counts.callCount,
    throttledCount: counts.throttledCount,
    receivedBytes: counts.receivedBytes,
    uploadCount: counts.uploadCount,
    tags,
    placeCount: places.length,
    blobCount: new Set(places).size,
    cpuMs: (user + system) / 1000,
  };
}
