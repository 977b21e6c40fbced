/** Hashing in threads: both implementations beside each other. */

import type { FairHashRun, HashJob } from '../harness/hash-run.ts';
import { isDisturbed } from '../harness/fair-rounds.ts';
import type { Section } from '../scenario.ts';
import type { Spread } from '../statistics.ts';
import { median, spreadOf } from '../statistics.ts';
import { gain } from './figure.ts';
import { formatRatio, formatShare, formatSpread, MEGABYTE } from './quantity.ts';

export interface HashContestant {
  readonly name: string;
  readonly job: HashJob;
  readonly runs: readonly FairHashRun[];
}

/** @param contestants the one that the others are compared with first */
export function hashSection(contestants: readonly HashContestant[]): Section {
  const title = 'SHA-256 in threads, 10 MiB parts in pieces of 48 KiB';
  const speed = ({ runs }: HashContestant): Spread => spreadOf(runs.map(megabytesPerSecond));
  const economy = ({ runs }: HashContestant): Spread =>
    spreadOf(runs.map(({ hashedBytes, cpuMs }) => hashedBytes / MEGABYTE / (cpuMs / 1000)));
  const reference = contestants[0] === undefined ? Number.NaN : speed(contestants[0]).median;
  const disturbed = contestants.flatMap(({ runs }) => runs).filter(isDisturbed).length;
  return {
    table: {
      title,
      columns: ['way', 'MB/s wall', 'vs first', 'MB per CPU-s'],
      rows: contestants.map((contestant) => [
        contestant.name,
        formatSpread(speed(contestant)),
        formatRatio(speed(contestant).median / reference),
        formatSpread(economy(contestant)),
      ]),
      notes: [
        ...whatItShows(contestants),
        'all threads together, each with a layer of its own unless it says one layer',
        ...(disturbed === 0 ? [] : [`PROVISIONAL: ${disturbed} runs were disturbed`]),
      ],
    },
    charts: [
      {
        kind: 'bars',
        title,
        quantity: 'MB per second of wall time',
        bars: contestants.map((contestant) => ({
          name: contestant.name,
          role: contestant.job.hasher === 'native' ? 'rival' : 'longshore',
          spread: speed(contestant),
        })),
      },
    ],
    figures: contestants.map(({ name, runs }) => gain(name, 'MB/s', runs.map(megabytesPerSecond))),
    data: contestants,
  };
}

function whatItShows(contestants: readonly HashContestant[]): string[] {
  const speedOf = (hasher: HashJob['hasher'], threadCount: number, hops = false): number => {
    const found = contestants.find(
      ({ job }) => job.hasher === hasher && job.threadCount === threadCount && job.hops === hops,
    );
    return found === undefined ? Number.NaN : median(found.runs.map(megabytesPerSecond));
  };
  const runs = contestants.flatMap((contestant) => contestant.runs);
  const picked = (kind: HashJob['hasher']): number =>
    runs.filter(({ autoPicks }) => autoPicks === kind).length;
  const faster = speedOf('native', 1) >= speedOf('wasm', 1) ? 'native' : 'wasm';
  return [
    `hasher 'auto' picked native in ${picked('native')} of ${runs.length} processes and WASM in ${picked('wasm')}; faster is ${faster}: node:crypto is ${formatRatio(speedOf('native', 1) / speedOf('wasm', 1))} as fast as hash-wasm in one thread, ${formatRatio(speedOf('native', 2) / speedOf('wasm', 2))} in two`,
    `a second thread with a second layer gives ${formatRatio(speedOf('native', 2) / speedOf('native', 1))} (native) and ${formatRatio(speedOf('wasm', 2) / speedOf('wasm', 1))} (WASM)`,
    `one layer is one chain of blocks: with its state hopping between two threads at each part it goes at ${formatShare(speedOf('wasm', 2, true) / speedOf('wasm', 1))} of one thread's speed; what hopping buys is that any free thread can take the next part`,
  ];
}

function megabytesPerSecond({ hashedBytes, wallMs }: FairHashRun): number {
  return hashedBytes / MEGABYTE / (wallMs / 1000);
}
