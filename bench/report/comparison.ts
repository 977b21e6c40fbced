/** Two results side by side: what moved beyond noise, and which way. */

import type { Environment } from '../environment.ts';
import type { Figure } from './figure.ts';
import { formatNumber } from './quantity.ts';
import type { ResultDocument } from './result-schema.ts';
import type { Table } from './table.ts';

/** Less is not worth a word, however steady it is. */
const MOVED_SHARE_MIN = 0.03;
const GIB: number = 2 ** 30;

export type Movement = 'better' | 'worse' | 'same';

export interface Comparison {
  readonly scenario: string;
  readonly section: string;
  readonly figure: Figure;
  readonly before: Figure;
  /** Of the median, as a share of the one before. */
  readonly changeShare: number;
  readonly movement: Movement;
}

/** What must be equal for two figures to be of one machine. */
const MACHINE: readonly { readonly name: string; readonly of: (of: Environment) => unknown }[] = [
  { name: 'CPU', of: ({ cpuModel }) => cpuModel },
  { name: 'cores', of: ({ coreCount }) => coreCount },
  { name: 'SHA instructions', of: ({ shaInstructions }) => shaInstructions ?? 'unknown' },
  // The kernel keeps a little of it for itself, and not always the same.
  { name: 'GiB of memory', of: ({ memoryBytes }) => Math.round(memoryBytes / GIB) },
];

/** What may differ, but explains a difference. */
const SOFTWARE: readonly { readonly name: string; readonly of: (of: Environment) => string }[] = [
  { name: 'commit', of: ({ commit, dirty }) => `${commit}${dirty ? ' with changes' : ''}` },
  { name: 'Node', of: ({ node }) => node },
  { name: 'OpenSSL', of: ({ openssl }) => openssl },
  { name: 'kernel', of: ({ kernel }) => kernel },
  {
    name: 'packages',
    of: ({ packages }) =>
      Object.entries(packages)
        .map(([name, version]) => `${name} ${version}`)
        .join(', '),
  },
];

/** @throws Error that names what differs, for results of two machines */
export function assertSameMachine(before: Environment, after: Environment): void {
  const differences = MACHINE.filter(({ of }) => of(before) !== of(after)).map(
    ({ name, of }) => `${name}: ${String(of(before))} there, ${String(of(after))} here`,
  );
  if (differences.length > 0) {
    throw new Error(`results of different machines are not compared (${differences.join('; ')})`);
  }
}

/** Every figure that both have; those of only one are left out. */
export function compareResults(before: ResultDocument, after: ResultDocument): Comparison[] {
  const known = new Map<string, Figure>();
  for (const { name, sections } of before.scenarios) {
    for (const { title, figures } of sections) {
      for (const figure of figures) known.set(keyOf(name, title, figure.name), figure);
    }
  }
  return after.scenarios.flatMap(({ name: scenario, sections }) =>
    sections.flatMap(({ title: section, figures }) =>
      figures.flatMap((figure) => {
        const old = known.get(keyOf(scenario, section, figure.name));
        if (old === undefined) return [];
        const { median } = old.spread;
        const changeShare = median === 0 ? 0 : (figure.spread.median - median) / Math.abs(median);
        return [
          {
            scenario,
            section,
            figure,
            before: old,
            changeShare,
            movement: movementOf(old, figure),
          },
        ];
      }),
    ),
  );
}

/** Medians further apart than both deviations together, and than a share of the one before. */
export function movementOf(before: Figure, after: Figure): Movement {
  const difference = after.spread.median - before.spread.median;
  const noise = deviationOf(before) + deviationOf(after);
  const least = MOVED_SHARE_MIN * Math.abs(before.spread.median);
  if (Math.abs(difference) <= Math.max(noise, least)) return 'same';
  return difference > 0 === (after.better === 'higher') ? 'better' : 'worse';
}

const ARROWS: Readonly<Record<Movement, readonly [up: string, down: string]>> = {
  better: ['▲ better', '▼ better'],
  worse: ['▲ worse', '▼ worse'],
  same: ['=', '='],
};

/** What moved first; with the software that may be why. */
export function comparisonTable(
  before: ResultDocument,
  after: ResultDocument,
  comparisons: readonly Comparison[],
): Table {
  const moved = comparisons.filter(({ movement }) => movement !== 'same');
  const still = comparisons.filter(({ movement }) => movement === 'same');
  const count = (movement: Movement): number =>
    comparisons.filter((comparison) => comparison.movement === movement).length;
  return {
    title: `Compared with ${before.startedAt}`,
    columns: ['figure', 'unit', 'before', 'now', 'change', 'noise', 'verdict'],
    rows: [...moved, ...still].map(comparisonRow),
    notes: [
      comparisons.length === 0
        ? 'the two results have no figure in common: name the same scenarios, and --full in both or in neither'
        : `${count('better')} better, ${count('worse')} worse, ${count('same')} within noise`,
      'moved: the medians differ by more than both median absolute deviations together and by more than 3 %; a figure of a single run has no deviation',
      ...SOFTWARE.filter(({ of }) => of(before.environment) !== of(after.environment)).map(
        ({ name, of }) => `${name}: ${of(before.environment)} before, ${of(after.environment)} now`,
      ),
    ],
  };
}

function comparisonRow({ scenario, section, ...rest }: Comparison): string[] {
  const { figure, before, changeShare, movement } = rest;
  const [up, down] = ARROWS[movement];
  const sign = changeShare > 0 ? '+' : '';
  return [
    `${scenario}, ${section}: ${figure.name}`,
    figure.unit,
    formatNumber(before.spread.median),
    formatNumber(figure.spread.median),
    `${sign}${(changeShare * 100).toFixed(1)} %`,
    formatNumber(deviationOf(before) + deviationOf(figure)),
    changeShare > 0 ? up : down,
  ];
}

function deviationOf({ spread }: Figure): number {
  return spread.deviationShare * Math.abs(spread.median);
}

function keyOf(scenario: string, section: string, figure: string): string {
  return JSON.stringify([scenario, section, figure]);
}
