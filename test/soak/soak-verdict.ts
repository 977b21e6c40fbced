/** What is wrong with the measurements of a soak. */

import { MIB } from '../../src/limits.ts';
import { riseOf, settled } from './trend.ts';

/** Taken after each round, when its uploader is closed and garbage is collected. */
export interface SoakSample {
  readonly atMs: number;
  readonly roundIndex: number;
  readonly rssBytes: number;
  readonly heapBytes: number;
  readonly handleCount: number;
  readonly descriptorCount: number;
  readonly threadCount: number;
  /** Of this round: layer bytes acknowledged, and how long it took. */
  readonly acceptedBytes: number;
  readonly durationMs: number;
}

/** Caches, compiled code and the allocator's pools grow for a while. */
const SETTLING_SHARE = 0.3;
const SAMPLES_MIN = 5;
/** What the line through the samples may rise by, from the first to the last. */
const RISE_MAX = { rssBytes: 48 * MIB, heapBytes: 6 * MIB } as const;
/** One more or less may be on its way in or out. */
const COUNT_RANGE_MAX = 2;
/** The second half's bytes per second may be this share of the first's, at the least. */
const THROUGHPUT_SHARE_MIN = 0.5;

export function problemsOf(all: readonly SoakSample[]): string[] {
  const samples = settled(all, SETTLING_SHARE);
  if (samples.length < SAMPLES_MIN) return [`only ${samples.length} samples: run it for longer`];
  const problems: string[] = [];
  for (const name of ['rssBytes', 'heapBytes'] as const) {
    const riseBytes = riseOf(samples.map((sample) => ({ atMs: sample.atMs, value: sample[name] })));
    if (riseBytes > RISE_MAX[name]) {
      problems.push(`${name} rises by ${mib(riseBytes)}, allowed are ${mib(RISE_MAX[name])}`);
    }
  }
  for (const name of ['handleCount', 'descriptorCount', 'threadCount'] as const) {
    const counts = samples.map((sample) => sample[name]);
    const range = Math.max(...counts) - Math.min(...counts);
    if (range > COUNT_RANGE_MAX) problems.push(`${name} is not flat: ${counts.join(' ')}`);
  }
  const half = Math.floor(samples.length / 2);
  const before = bytesPerMsOf(samples.slice(0, half));
  const after = bytesPerMsOf(samples.slice(half));
  if (after < before * THROUGHPUT_SHARE_MIN) {
    problems.push(`throughput falls to ${Math.round((100 * after) / before)} %`);
  }
  return problems;
}

function bytesPerMsOf(samples: readonly SoakSample[]): number {
  let bytes = 0;
  let ms = 0;
  for (const { acceptedBytes, durationMs } of samples) {
    bytes += acceptedBytes;
    ms += durationMs;
  }
  return bytes / ms;
}

export function mib(bytes: number): string {
  return `${(bytes / MIB).toFixed(1)} MiB`;
}
