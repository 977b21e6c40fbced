/** Runs one cell of the matrix, a fault in an operation, with one seed after another, and judges. */

import pLimit from 'p-limit';
import { expect } from 'vitest';
import type { JournalEntry } from '../../src/emulator/index.ts';
import { LongshoreError } from '../../src/index.ts';
import { randomFrom } from '../journal/killable-program.ts';
import { type Attempted, type Drive, driveOf, type RunContext } from './drive.ts';
import type { Ending, Expectation, Fault, Operation } from './fault.ts';
import { type FaultRig, PATIENT } from './fault-rig.ts';

/** One that passes and one that lasts; CI takes 20. */
const SEED_COUNT = Number(process.env['LONGSHORE_FAULT_SEEDS'] ?? 2);
const ONE_SEED = process.env['LONGSHORE_FAULT_SEED'];
const SEEDS: readonly number[] =
  ONE_SEED === undefined
    ? Array.from({ length: SEED_COUNT }, (_, index) => index + 1)
    : [Number(ONE_SEED)];

const RUNS_AT_ONCE = 5;
/** A run that takes longer does not end. */
const RUN_MS_MAX = 20_000;
export const WITHOUT_END = 1_000_000;

export interface Cell {
  readonly fault: Fault;
  readonly operation: Operation;
  readonly expectation: Expectation;
}

export function cellsOf(faults: readonly Fault[]): readonly (Cell & { readonly name: string })[] {
  return faults.flatMap((fault) =>
    fault.expectations.flatMap((expectation) =>
      expectation.operations.map((operation) => ({
        fault,
        operation,
        expectation,
        name: nameOf({ operation, fault }),
      })),
    ),
  );
}

/** @throws Error that tells the seed and how to run it again */
export async function expectCell(rig: FaultRig, cell: Cell): Promise<void> {
  const name = nameOf(cell);
  const judgements = new Map<number, () => Promise<void>>();
  const perform = async (seed: number): Promise<void> => {
    judgements.set(seed, await runOnce(rig, cell, seed));
  };
  try {
    await expectEachSeed(name, perform, runsAtOnce(cell));
    // Who judges calls the emulator too.
    rig.emulator.clearFaults();
    await expectEachSeed(name, async (seed) => judgements.get(seed)?.());
  } finally {
    await rig.settle();
  }
  for (const uploader of rig.idleUploaders()) expect(uploader.snapshot().layers).toEqual([]);
}

function nameOf({ operation, fault }: Pick<Cell, 'operation' | 'fault'>): string {
  return `${operation}: ${fault.name}`;
}

function runsAtOnce(cell: Cell): number {
  if (isAtLarge(cell)) return 1;
  const { waits, isImpatient } = cell.fault;
  // Parts do not only wait.
  const isIdle = (waits ?? isImpatient) === true && cell.operation !== 'UploadLayerPart';
  return isIdle ? SEEDS.length : RUNS_AT_ONCE;
}

/** Strikes every run, whichever repository it is about. */
function isAtLarge({ fault, operation }: Cell): boolean {
  // Whose request names a list of repositories.
  return fault.injection.by !== 'emulator' || operation === 'DescribeRepositories';
}

/** Runs `run` with every seed. @throws Error that tells the first seed that failed */
export async function expectEachSeed(
  name: string,
  run: (seed: number) => Promise<void>,
  atOnce = 1,
): Promise<void> {
  const limit = pLimit(atOnce);
  const results = await Promise.allSettled(
    SEEDS.map((seed) =>
      limit(async () => {
        try {
          await run(seed);
        } catch (error) {
          const text = error instanceof Error ? error.message : String(error);
          const pattern = name.replaceAll(/[^\w :,-]/g, '.');
          const again = `LONGSHORE_FAULT_SEED=${seed} npx vitest run test/faults -t '${pattern}'`;
          throw new Error(`${text}\nagain: ${again}`, { cause: error });
        }
      }),
    ),
  );
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

/** Odd seeds: it lasts; even ones: it passes. */
export function isLasting(seed: number): boolean {
  return seed % 2 === 1;
}

/** @returns what judges it */
async function runOnce(rig: FaultRig, cell: Cell, seed: number): Promise<() => Promise<void>> {
  const { fault, operation, expectation } = cell;
  const random = randomFrom(seed);
  let partsRepeated = 0;
  const { by } = fault.injection;
  const way = by === 'gateway' || by === 'route' ? by : 'straight';
  const run: RunContext = {
    rig,
    operation,
    seed,
    random,
    canStartAgain: fault.startsAgain ?? false,
    onlyTags: fault.isOfTag ?? false,
    signal: AbortSignal.timeout(RUN_MS_MAX),
    uploader: rig.uploader({
      variation: Math.floor(random() * 3),
      way,
      isImpatient: fault.isImpatient ?? false,
      createsRepository: operation === 'CreateRepository',
      isPersistent: isRestart(fault),
    }),
    preparer: rig.uploader({ ...PATIENT, way }),
    onEvent: ({ type, operation: repeated }) => {
      if (type !== 'call-retried' || repeated !== 'UploadLayerPart') return;
      partsRepeated += 1;
      rig.route.partRepeated();
    },
  };
  const drive = await driveOf(run);
  const lasts = isLasting(seed);
  const strikes = Math.ceil(random() * (fault.strikesMax ?? 2));
  const strike = {
    nth: Math.ceil(random() * drive.callsMin),
    times: lasts && !isRestart(fault) ? WITHOUT_END : strikes,
  };
  arm(rig, cell, drive, strike, run);
  const attempted = await drive.perform();
  const struckCount = disarm(rig, cell);
  return async () => {
    const callCount = rig.entriesOf(operation, drive.repository).length;
    expect(struckCount ?? callCount - strike.nth + 1, 'strikes').toBeGreaterThan(0);
    const expected = lasts ? expectation.lasting : expectation.passing;
    expectEndings(attempted, expected, operation);
    expectOrder(rig.entries(drive.repository), partsRepeated, fault);
    await drive.judge(attempted);
    await drive.end();
  };
}

function isRestart({ injection }: Fault): boolean {
  return injection.by === 'gateway' && injection.act(() => 0).kind === 'restart';
}

function arm(
  rig: FaultRig,
  cell: Cell,
  { repository }: Drive,
  strike: { readonly nth: number; readonly times: number },
  { random }: RunContext,
): void {
  const { fault, operation } = cell;
  const { injection } = fault;
  switch (injection.by) {
    case 'gateway':
      rig.gateway.arm({ ...strike, operation, act: injection.act(random) });
      return;
    case 'route':
      rig.route.arm({ ...strike, operation, route: injection.route });
      return;
    default: {
      if (operation === 'download of a blob') throw new Error('the emulator fails no downloads');
      const match = isAtLarge(cell) ? {} : { match: { repository } };
      rig.emulator.addFaults([
        { ...strike, ...match, operation, action: injection.action(random) },
      ]);
    }
  }
}

/** @returns how often it struck, where that is known */
function disarm(rig: FaultRig, cell: Cell): number | undefined {
  const { injection } = cell.fault;
  if (injection.by === 'gateway') return rig.gateway.disarm();
  if (injection.by === 'route') return rig.route.disarm();
  if (isAtLarge(cell)) rig.emulator.clearFaults();
  return undefined;
}

function expectEndings(
  attempted: readonly Attempted[],
  expected: Ending,
  operation: Operation,
): void {
  const endings = attempted.map(({ ending }) => ending);
  expect(endings.filter((ending) => ending !== 'finishes' && ending !== expected)).toEqual([]);
  expect(endings).toContain(expected);
  for (const { error } of attempted) {
    if (!LongshoreError.is(error)) continue;
    expect(error.message.length).toBeGreaterThan(20);
    const { details } = error;
    const told = operation === 'download of a blob' ? 'GET of a blob' : operation;
    if ('operation' in details) expect(details.operation).toBe(told);
  }
}

/** The emulator's journal: no part twice or out of order, one Complete an upload. */
export function expectOrder(
  entries: readonly JournalEntry[],
  partsRepeated: number,
  fault?: Fault,
): void {
  const ended = new Map<string, number>();
  const completed = new Set<string>();
  const accepted = entries.filter(({ statusCode }) => statusCode === 200).toSorted(byTimeOfArrival);
  for (const { operation, uploadId = '', firstByte = -1, lastByte = -1 } of accepted) {
    if (operation === 'UploadLayerPart') {
      expect(completed).not.toContain(uploadId);
      expect(firstByte, 'first byte of a part').toBeGreaterThanOrEqual(ended.get(uploadId) ?? 0);
      ended.set(uploadId, lastByte + 1);
    } else if (operation === 'CompleteLayerUpload') {
      expect(completed, 'a second Complete').not.toContain(uploadId);
      completed.add(uploadId);
    }
  }
  // A part that ECR refuses for its place is one whose reply was lost before.
  const refused = entries.filter(({ exception }) => exception === 'InvalidLayerPartException');
  const isInjected = fault?.startsAgain === true;
  if (!isInjected) expect(refused.length, 'refused parts').toBeLessThanOrEqual(partsRepeated);
}

/** Held parts begin early; the last body byte counts. The clock is coarse. */
function byTimeOfArrival(left: JournalEntry, right: JournalEntry): number {
  const difference = (left.receivedAtMs ?? 0) - (right.receivedAtMs ?? 0);
  if (difference !== 0) return difference;
  const areParts = left.firstByte !== undefined && right.firstByte !== undefined;
  return areParts ? (left.firstByte ?? 0) - (right.firstByte ?? 0) : left.sequence - right.sequence;
}
