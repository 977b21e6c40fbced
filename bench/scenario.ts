/** What the benchmark can run. */

import type { Programs } from './harness/program.ts';
import type { Table } from './report/table.ts';

export interface ScenarioContext {
  /** The long version. */
  readonly full: boolean;
  /** Counted runs, if the caller asked for a number. */
  readonly runs: number | undefined;
  /** Compiled on the first call. */
  programs(): Promise<Programs>;
  /** Tells the person who waits what is going on. */
  progress(text: string): void;
}

export interface ScenarioReport {
  readonly tables: readonly Table[];
  /** Every single run, as JSON. */
  readonly data: unknown;
}

export interface Scenario {
  readonly name: string;
  /** One line for `--help`. */
  readonly summary: string;
  /** Whether it runs when no scenario is named. */
  readonly byDefault: boolean;
  run(context: ScenarioContext): Promise<ScenarioReport>;
}
