/** What the benchmark can run. */

import type { Programs } from './harness/program.ts';
import type { Chart } from './report/chart.ts';
import type { Figure } from './report/figure.ts';
import type { Table } from './report/table.ts';

export interface ScenarioContext {
  /** The long version. */
  readonly full: boolean;
  /** Counted runs, if the caller asked for a number. */
  readonly runs: number | undefined;
  /** Waits for quiet and repeats what was disturbed; false where only the machinery is tried. */
  readonly patient: boolean;
  /** Compiled on the first call. */
  programs(): Promise<Programs>;
  /** Tells the person who waits what is going on. */
  progress(text: string): void;
}

/** What a scenario has found out so far: a table and the single runs behind it. */
export interface Section {
  readonly table: Table;
  readonly charts?: readonly Chart[];
  /** What `--compare` follows. */
  readonly figures?: readonly Figure[];
  /** Goes into the result file as JSON. */
  readonly data: unknown;
}

export interface Scenario {
  readonly name: string;
  /** One line for `--help`. */
  readonly summary: string;
  /** Whether it runs when no scenario is named. */
  readonly byDefault: boolean;
  /** Yields each section as soon as it is complete: a long run may be interrupted. */
  run(context: ScenarioContext): AsyncIterable<Section>;
}
