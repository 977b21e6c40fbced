import { parseArgs } from 'node:util';

/** What the command line asks for. */
export interface BenchArguments {
  /** Names of scenarios; empty means the default ones. */
  readonly scenarios: readonly string[];
  /** The long version: more runs, more settings, larger layers. */
  readonly full: boolean;
  /** Counted runs of each contestant; `undefined` leaves it to the scenario. */
  readonly runs: number | undefined;
  /** Path of an earlier result to compare with. */
  readonly compare: string | undefined;
  /** Path of a result to compare instead of measuring. */
  readonly result: string | undefined;
  readonly help: boolean;
}

const RUNS_MAX = 100;

/**
 * Reads the arguments after the script's name.
 * @throws Error with a sentence for the reader, for an unknown option or scenario
 */
export function parseBenchArguments(
  argv: readonly string[],
  knownScenarios: readonly string[],
): BenchArguments {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      full: { type: 'boolean', default: false },
      runs: { type: 'string' },
      compare: { type: 'string' },
      result: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  // `npm run bench -- --full layer` and `npm run bench -- -- layer` mean the same.
  const scenarios = positionals.filter((name) => name !== '--');
  const unknown = scenarios.find((name) => !knownScenarios.includes(name));
  if (unknown !== undefined) {
    throw new Error(`unknown scenario "${unknown}"; known: ${knownScenarios.join(', ')}`);
  }
  const { full, compare, result, help } = values;
  if (result !== undefined && compare === undefined) {
    throw new Error('--result names what --compare compares with; give both');
  }
  return { scenarios, full, runs: parseRuns(values.runs), compare, result, help };
}

function parseRuns(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const runs = Number(text);
  if (!Number.isInteger(runs) || runs < 1 || runs > RUNS_MAX) {
    throw new Error(`--runs takes an integer 1..${RUNS_MAX}, received "${text}"`);
  }
  return runs;
}
