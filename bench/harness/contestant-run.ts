/** One run of one contestant in a process of its own, and what it cost on both sides. */

import { Child } from './child-process.ts';
import type { Job, LayerFile, LongshoreOptions, Measurement, Reply } from './protocol.ts';
import { MachineLoad } from './machine-load.ts';
import type { ProgramName } from './program.ts';
import type { Server } from './server-process.ts';
import type { WireActivity } from './wire-activity.ts';

/** Who runs, and with what settings. */
export interface Contestant {
  readonly name: string;
  readonly program: Exclude<
    ProgramName,
    'server' | 'hash-threads' | 'import-time' | 'thread-profiler' | 'sync-target' | 'corpus-server'
  >;
  readonly options?: LongshoreOptions;
  /** The bare writer sends the right count of bytes, but not these: its digests mean nothing. */
  readonly sendsOtherBytes?: boolean;
}

/** What all contestants of one table have to do. */
export interface Task {
  readonly layers: readonly LayerFile[];
  readonly partSizeBytes?: number;
  readonly layersInFlight: number;
  readonly layout?: string;
  /** Default: one that nobody has pushed to. */
  readonly repository?: string;
}

export interface Run extends Measurement {
  /** From the start of the process to its end, imports included. */
  readonly processWallMs: number;
  /** What the server saw of it. */
  readonly activity: WireActivity;
  /** CPU time of the server's process meanwhile. */
  readonly serverCpuMs: number;
  /** Share of the machine's cores that was in other hands meanwhile. */
  readonly foreignShare: number;
  /** Whether the process ended by itself once its work was done. */
  readonly endedByItself: boolean;
}

const END_TIMEOUT_MS = 3000;

/** @throws Error if the contestant fails, or reports another digest than the file's */
export async function runContestant(
  contestant: Contestant,
  file: string,
  task: Task,
  server: Server,
  environment: NodeJS.ProcessEnv = {},
): Promise<Run> {
  const job: Job = {
    ...task,
    server: server.address,
    repository: task.repository ?? (await server.createRepository()),
    ...(contestant.options !== undefined && { options: contestant.options }),
  };
  const before = await server.usage();
  const ownBefore = process.cpuUsage();
  const load = new MachineLoad();
  const startedAt = performance.now();
  await using child = new Child(contestant.name, file, environment);
  const reply = (await child.ask(job)) as Reply;
  const after = await server.usage();
  if (reply.type === 'failed') throw new Error(`${contestant.name} failed: ${reply.message}`);
  const { measurement } = reply;
  const own = process.cpuUsage(ownBefore);
  const serverCpuMs = after.cpuMs - before.cpuMs;
  const knownCpuMs = measurement.cpuLifetimeMs + serverCpuMs + (own.user + own.system) / 1000;
  const foreignShare = load.foreignShare(knownCpuMs);
  if (contestant.sendsOtherBytes !== true) assertDigests(contestant.name, measurement, task.layers);
  const endedByItself = await child.endsWithin(END_TIMEOUT_MS);
  return {
    ...measurement,
    processWallMs: performance.now() - startedAt,
    activity: after.activity,
    serverCpuMs,
    foreignShare,
    endedByItself,
  };
}

function assertDigests(name: string, { digests }: Measurement, layers: readonly LayerFile[]): void {
  for (const [index, { path, digest }] of layers.entries()) {
    if (digests[index] !== digest) {
      throw new Error(`${name}: ${path} is ${digest}, reported ${String(digests[index])}`);
    }
  }
}
