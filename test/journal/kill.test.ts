/**
 * Kills a real process at random moments until its layers are there. Long for a test, since a process
 * takes its time to start; the seeds make it the same each time, as far as processes allow.
 */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { JournalEntry } from '../../src/emulator/index.ts';
import { MIB } from '../../src/limits.ts';
import { expectStored } from '../uploader/expectation.ts';
import { digestOf, layerBytes } from '../uploader/layer-bytes.ts';
import { REPOSITORY, startRig, uploaderOptionsFor } from '../uploader/upload-rig.ts';
import { type KillableProgram, randomFrom, startProgram, type Told } from './killable-program.ts';
import { temporaryFolder } from './temporary-folder.ts';

const KILLS_MIN = 200;
const PART_BYTES = 5 * MIB;
const PARTS = 4;
/** Layers of one process: files that are hashed first, or whose digest is told, and streams. */
const LAYERS = [
  ['file', 'stream'],
  ['file of known digest', 'stream'],
  ['file', 'file of known digest'],
] as const;
/** Processes side by side: while some wait for the emulator, others start. */
const SIEGES_AT_ONCE = 4;

interface Life {
  /** Sequence of the last request before it. */
  readonly since: number;
  readonly program: KillableProgram;
}

interface Siege {
  readonly killCount: number;
  readonly resentCount: number;
}

/**
 * Kills and starts a process until its layers are uploaded; checks what the emulator saw.
 * @param kills that all sieges together still need
 */
async function besiege(seed: number, kills: { left: number }): Promise<Siege> {
  const random = randomFrom(seed);
  await using folder = await temporaryFolder();
  await using rig = await startRig({
    emulator: { network: { serviceTimeMs: { UploadLayerPart: 250, CompleteLayerUpload: 30 } } },
  });
  const kinds = LAYERS[seed % LAYERS.length] ?? [];
  const layers = kinds.map((kind, index) => {
    const bytes = layerBytes(PARTS * PART_BYTES - 1000 * index, (seed * 3 + index) % 251);
    const path = join(folder.path, `${index}.tar`);
    return { kind, bytes, path, digest: digestOf(bytes) };
  });
  await Promise.all(layers.map(({ path, bytes }) => writeFile(path, bytes)));
  const task = {
    uploader: {
      ...uploaderOptionsFor(rig.emulator),
      resumeDirectory: join(folder.path, 'resume'),
    },
    repository: REPOSITORY,
    layers: layers.map(({ bytes: _bytes, ...layer }) => layer),
  };
  const lives: Life[] = [];
  let killCount = 0;
  for (let isDone = false; !isDone;) {
    const program = startProgram('upload.mjs', task);
    await program.tells('ready', 1);
    // Requests of the one before have all arrived: it is gone.
    lives.push({ since: rig.emulator.journal.entries().at(-1)?.sequence ?? 0, program });
    const mayKill = kills.left > 0;
    if (mayKill) kills.left -= 1;
    if (mayKill && (await killAtRandom(program, random))) killCount += 1;
    else {
      // It was done before.
      if (mayKill) kills.left += 1;
      const { stderr, isDone: hasEndedWell } = await program.ended;
      if (!hasEndedWell) throw new Error(stderr);
      isDone = true;
    }
  }
  for (const { bytes } of layers) await expectStored(rig.emulator, bytes);
  expect(lives.flatMap(({ program }) => problemsOf(program.told))).toEqual([]);
  const entries = rig.emulator.journal.entries({ operation: 'UploadLayerPart' });
  expectAcceptedOnce(entries, layers.length);
  const resentCounts = lives.flatMap(({ since }, index) => {
    const until = lives[index + 1]?.since ?? Number.POSITIVE_INFINITY;
    const own = entries.filter(({ sequence }) => sequence > since && sequence <= until);
    return refusedPerUpload(own);
  });
  expect(Math.max(0, ...resentCounts)).toBeLessThanOrEqual(1);
  return { killCount, resentCount: resentCounts.reduce((sum, count) => sum + count, 0) };
}

/** @returns false if it was done before */
async function killAtRandom(program: KillableProgram, random: () => number): Promise<boolean> {
  // Some die while they start, most between two parts, a few in the end.
  const choice = random();
  if (choice < 0.4) await delay(random() * 300);
  else if (choice < 0.6) {
    await program.tells('layer-started', 1);
    await delay(random() * 250);
  } else {
    await program.tells('part-acknowledged', choice < 0.9 ? 1 : 2);
    await delay(random() * 100);
  }
  await program.kill();
  return (await program.ended).isKilled;
}

function problemsOf(told: readonly Told[]): unknown[] {
  return told.filter(({ type }) => type === 'journal-unusable' || type === 'layer-restarted');
}

/** Each byte of each layer was accepted at most once, in order, and within one upload. */
function expectAcceptedOnce(entries: readonly JournalEntry[], layerCount: number): void {
  const accepted = byUpload(entries.filter(({ statusCode }) => statusCode === 200));
  expect(accepted).toHaveLength(layerCount);
  for (const parts of accepted) {
    const firstBytes = parts
      .toSorted((left, right) => (left.receivedAtMs ?? 0) - (right.receivedAtMs ?? 0))
      .map(({ firstByte = -1 }) => firstByte);
    expect(firstBytes).toEqual([...new Set(firstBytes)].toSorted((left, right) => left - right));
  }
}

/** Parts that came although they were there, for each upload. */
function refusedPerUpload(entries: readonly JournalEntry[]): number[] {
  const refused = entries.filter(({ exception }) => exception === 'InvalidLayerPartException');
  return byUpload(refused).map(({ length }) => length);
}

function byUpload(entries: readonly JournalEntry[]): JournalEntry[][] {
  const groups = new Map<string, JournalEntry[]>();
  for (const entry of entries) {
    const { uploadId = '' } = entry;
    groups.set(uploadId, [...(groups.get(uploadId) ?? []), entry]);
  }
  return [...groups.values()];
}

describe('a process that is killed again and again', () => {
  test('sends at most one part of each layer again, and its layers are right', async () => {
    let seed = 0;
    const kills = { left: KILLS_MIN };
    const sieges: Siege[] = [];
    const oneAfterTheOther = async (): Promise<void> => {
      while (kills.left > 0) {
        seed += 1;
        sieges.push(await besiege(seed, kills));
      }
    };
    await Promise.all(Array.from({ length: SIEGES_AT_ONCE }, oneAfterTheOther));
    const sumOf = (member: keyof Siege): number =>
      sieges.reduce((sum, siege) => sum + siege[member], 0);
    expect(sumOf('killCount')).toBeGreaterThanOrEqual(KILLS_MIN);
    // Else the moments were not the interesting ones.
    expect(sumOf('resentCount')).toBeGreaterThan(0);
  }, 240_000);
});
