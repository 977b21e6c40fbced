/** How busy the whole machine is: tells a figure from one that somebody else's work got into. */

import { availableParallelism, cpus } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';

/** A run with more of the cores in other hands is not a measurement. */
export const FOREIGN_SHARE_MAX = 0.1;

const QUIET_SAMPLE_MS = 300;
const QUIET_WAIT_MS_MAX = 15_000;

/** Time all cores together have worked since the machine started, in ticks of about 10 ms. */
function workedMs(): number {
  let worked = 0;
  for (const { times } of cpus()) worked += times.user + times.nice + times.sys + times.irq;
  return worked;
}

/** Counts from now on. */
export class MachineLoad {
  readonly #startedAtMs: number = performance.now();
  readonly #workedBefore: number = workedMs();

  /** Share of all cores' time that went into anything but `ownCpuMs`, 0..1. */
  foreignShare(ownCpuMs: number): number {
    const capacityMs = (performance.now() - this.#startedAtMs) * availableParallelism();
    const foreignMs = workedMs() - this.#workedBefore - ownCpuMs;
    return Math.min(1, Math.max(0, foreignMs / capacityMs));
  }
}

/** Returns when the machine has a moment for us, or after a while in any case. */
export async function waitForQuiet(): Promise<void> {
  const endsAtMs = performance.now() + QUIET_WAIT_MS_MAX;
  while (performance.now() < endsAtMs) {
    if ((await sampleBusyShare(QUIET_SAMPLE_MS)) <= FOREIGN_SHARE_MAX) return;
  }
}

/** How busy the machine is with others while this process waits. */
export async function sampleBusyShare(durationMs: number): Promise<number> {
  const load = new MachineLoad();
  await delay(durationMs);
  return load.foreignShare(0);
}
