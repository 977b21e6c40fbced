/** The cells of some faults as tests, over rigs that they share, and what is left open afterwards. */

import { afterAll, beforeAll, describe, test } from 'vitest';
import { type Cell, cellsOf, expectCell } from './campaign.ts';
import type { Fault } from './fault.ts';
import { FaultRig, type FaultRigOptions } from './fault-rig.ts';
import { expectNothingMore, type Holdings, holdings } from './open-resource.ts';

/** Twenty seeds. */
const CELL_MS_MAX = 120_000;

/** Cells that mostly wait wait together. */
export function matrixSuite(
  title: string,
  faults: readonly Fault[],
  options: FaultRigOptions,
): void {
  describe(`faults ${title}`, () => {
    let before: Holdings;
    const idle: FaultRig[] = [];
    const all: FaultRig[] = [];
    const cells = cellsOf(faults).map((cell) => [cell.name, cell] as const);
    const isWaiting = ({ fault }: Cell): boolean =>
      fault.waits === true || fault.isImpatient === true;
    const waiting = cells.filter(([, cell]) => isWaiting(cell));
    const busy = cells.filter(([, cell]) => !isWaiting(cell));

    const expectOn = async (cell: Cell): Promise<void> => {
      let rig = idle.pop();
      if (rig === undefined) {
        rig = await FaultRig.start(options);
        all.push(rig);
      }
      await expectCell(rig, cell);
      idle.push(rig);
    };

    beforeAll(async () => {
      // What Node and the SDK open once and keep is no leak.
      const [first] = busy;
      if (first === undefined) throw new Error('no faults');
      await using rig = await FaultRig.start(options);
      await expectCell(rig, first[1]);
    });
    beforeAll(() => {
      before = holdings();
    });

    test.each(busy)('%s', (_name, cell) => expectOn(cell), CELL_MS_MAX);

    describe.runIf(waiting.length > 0)('side by side', { concurrent: true }, () => {
      test.each(waiting)('%s', (_name, cell) => expectOn(cell), CELL_MS_MAX);
    });

    afterAll(async () => {
      await Promise.all(all.map((rig) => rig[Symbol.asyncDispose]()));
      await expectNothingMore(before);
    });
  });
}
