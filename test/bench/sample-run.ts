import type { Run } from '../../bench/harness/contestant-run.ts';
import { activityOf } from '../../bench/harness/wire-activity.ts';

/** A run of 100 MB on a quiet machine. */
export function runOf(wallMs: number, cpuUserMs: number): Run {
  return {
    wallMs,
    cpuUserMs,
    cpuSystemMs: 0,
    layerBytes: 100e6,
    digests: [],
    rssBeforeBytes: 50e6,
    rssPeakBytes: 100e6,
    rssSampledPeakBytes: 99e6,
    rssLifetimePeakBytes: 120e6,
    loopDelayP50Ms: 1,
    loopDelayP99Ms: 5,
    loopDelayMaxMs: 20,
    cpuLifetimeMs: cpuUserMs + 200,
    processWallMs: wallMs + 300,
    activity: activityOf([]),
    serverCpuMs: 10,
    foreignShare: 0.02,
    endedByItself: true,
  };
}
