/** A contestant's process: takes one job, measures itself while it does it, reports, ends. */

import { readFileSync, writeFileSync } from 'node:fs';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import type { Job, Measurement, Outcome } from '../harness/protocol.ts';
import { listen, say } from './conversation.ts';

const LOOP_DELAY_RESOLUTION_MS = 1;
const RSS_SAMPLE_INTERVAL_MS = 50;
const NANOSECONDS_PER_MS = 1e6;
const KIB = 1024;

/** Does the work that is measured. */
export type MeasuredWork = () => Promise<Outcome>;

/**
 * Turns a contestant into a program.
 * @param prepare what is not measured; everything the program imports is loaded before it
 */
export function measureContestant(prepare: (job: Job) => Promise<MeasuredWork>): void {
  listen((value) => {
    prepare(value as Job)
      .then(measure)
      .then(
        (measurement) => {
          say({ type: 'measured', measurement });
          // The listener must not be what keeps the process: a contestant that leaves a socket or a
          // thread behind hangs here, and the benchmark says so.
          process.stdin.unref();
        },
        (error: unknown) => {
          say({ type: 'failed', message: error instanceof Error ? error.stack : String(error) });
          process.exitCode = 1;
          process.stdin.unref();
        },
      );
  });
}

async function measure(work: MeasuredWork): Promise<Measurement> {
  const rssBeforeBytes = process.memoryUsage.rss();
  const peakIsOfTheRun = resetPeak();
  let rssSampledPeakBytes = rssBeforeBytes;
  const sampler = setInterval(() => {
    rssSampledPeakBytes = Math.max(rssSampledPeakBytes, process.memoryUsage.rss());
  }, RSS_SAMPLE_INTERVAL_MS);
  const loopDelay = monitorEventLoopDelay({ resolution: LOOP_DELAY_RESOLUTION_MS });
  loopDelay.enable();
  const cpuBefore = process.cpuUsage();
  const startedAt = performance.now();

  const outcome = await work();

  const wallMs = performance.now() - startedAt;
  const cpu = process.cpuUsage(cpuBefore);
  const cpuLifetime = process.cpuUsage();
  loopDelay.disable();
  clearInterval(sampler);
  return {
    ...outcome,
    wallMs,
    cpuUserMs: cpu.user / 1000,
    cpuSystemMs: cpu.system / 1000,
    cpuLifetimeMs: (cpuLifetime.user + cpuLifetime.system) / 1000,
    rssBeforeBytes,
    rssPeakBytes: (peakIsOfTheRun ? readPeakBytes() : undefined) ?? rssSampledPeakBytes,
    rssSampledPeakBytes,
    rssLifetimePeakBytes: process.resourceUsage().maxRSS * KIB,
    loopDelayP50Ms: loopDelay.percentile(50) / NANOSECONDS_PER_MS,
    loopDelayP99Ms: loopDelay.percentile(99) / NANOSECONDS_PER_MS,
    loopDelayMaxMs: loopDelay.max / NANOSECONDS_PER_MS,
  };
}

/** Linux: sets the high-water mark of this process back to what it uses now. */
function resetPeak(): boolean {
  try {
    writeFileSync('/proc/self/clear_refs', '5');
    return true;
  } catch {
    return false;
  }
}

function readPeakBytes(): number | undefined {
  const [, kib] = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  return kib === undefined ? undefined : Number(kib) * KIB;
}
