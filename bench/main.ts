/** `npm run bench`: runs scenarios, prints their tables, keeps both tables and raw figures. */

import { readFileSync } from 'node:fs';
import { parseBenchArguments } from './arguments.ts';
import { formatEnvironment, readEnvironment } from './environment.ts';
import { installCleanup } from './harness/cleanup.ts';
import { FOREIGN_SHARE_MAX } from './harness/machine-load.ts';
import type { Programs } from './harness/program.ts';
import { compilePrograms } from './harness/program.ts';
import { assertSameMachine, compareResults, comparisonTable } from './report/comparison.ts';
import type { ScenarioResult } from './report/result-file.ts';
import { resultDocument, saveReport, saveResults } from './report/result-file.ts';
import type { ResultDocument } from './report/result-schema.ts';
import { parseResult } from './report/result-schema.ts';
import { formatTable } from './report/table.ts';
import type { ScenarioContext, Section } from './scenario.ts';
import { SCENARIOS } from './scenario-list.ts';

installCleanup();
await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});

async function main(): Promise<void> {
  const names = SCENARIOS.map(({ name }) => name);
  const asked = parseBenchArguments(process.argv.slice(2), names);
  if (asked.help) {
    console.log(helpText());
    return;
  }
  const before = asked.compare === undefined ? undefined : readResult(asked.compare);
  if (before !== undefined && asked.result !== undefined) {
    printComparison(before, readResult(asked.result));
    return;
  }
  const chosen = SCENARIOS.filter(({ name, byDefault }) =>
    asked.scenarios.length === 0 ? byDefault : asked.scenarios.includes(name),
  );
  let programs: Promise<Programs> | undefined;
  const context: ScenarioContext = {
    full: asked.full,
    runs: asked.runs,
    patient: true,
    programs: () => (programs ??= compilePrograms()),
    progress: (text) => console.error(`  ${text}`),
  };

  const startedAt = new Date();
  const environment = await readEnvironment();
  // Told before the minutes that it takes, not after them.
  if (before !== undefined) assertSameMachine(before.environment, environment);
  console.log(`${formatEnvironment(environment)}\n`);
  if (environment.busyShareBefore > FOREIGN_SHARE_MAX) {
    console.log(
      '**Provisional: the machine was busy with something else. Trust no figure below.**\n',
    );
  }
  const done: ScenarioResult[] = [];
  for (const scenario of chosen) {
    console.error(`${scenario.name}: ${scenario.summary}`);
    const sections: Section[] = [];
    for await (const section of scenario.run(context)) {
      sections.push(section);
      console.log(formatTable(section.table));
      const scenarios = [...done, { name: scenario.name, sections }];
      saveResults({ startedAt, environment, full: asked.full, scenarios });
    }
    done.push({ name: scenario.name, sections });
  }
  const results = { startedAt, environment, full: asked.full, scenarios: done };
  console.error(`saved ${saveResults(results)} and ${await saveReport(results)}`);
  if (before !== undefined) printComparison(before, resultDocument(results));
}

function readResult(path: string): ResultDocument {
  return parseResult(readFileSync(path, 'utf8'), path);
}

function printComparison(before: ResultDocument, after: ResultDocument): void {
  assertSameMachine(before.environment, after.environment);
  console.log(formatTable(comparisonTable(before, after, compareResults(before, after))));
}

function helpText(): string {
  const width = Math.max(...SCENARIOS.map(({ name }) => name.length));
  const lines = SCENARIOS.map(
    ({ name, summary, byDefault }) =>
      `  ${name.padEnd(width)}  ${byDefault ? ' ' : '*'} ${summary}`,
  );
  return [
    'Usage: npm run bench -- [scenario ...] [--full] [--runs <count>] [--compare <file>]',
    '',
    'Scenarios (* only when named):',
    ...lines,
    '',
    'Options:',
    '  --full            more runs and settings, larger layers: the figures to publish',
    '  --runs <count>    counted runs of each contestant, 1..100',
    '  --compare <file>  an earlier result of this machine (JSON): shows what moved beyond noise',
    '  --result <file>   measures nothing: compares this result with that of --compare',
    '  -h, --help        this text',
    '',
    'Raw figures (JSON), tables (Markdown) and a report with charts (HTML) go to bench/results.',
  ].join('\n');
}
