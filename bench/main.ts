/** `npm run bench`: runs scenarios, prints their tables, keeps both tables and raw figures. */

import { parseBenchArguments } from './arguments.ts';
import { formatEnvironment, readEnvironment } from './environment.ts';
import { installCleanup } from './harness/cleanup.ts';
import { FOREIGN_SHARE_MAX } from './harness/machine-load.ts';
import type { Programs } from './harness/program.ts';
import { compilePrograms } from './harness/program.ts';
import type { ScenarioResult } from './report/result-file.ts';
import { saveReport, saveResults } from './report/result-file.ts';
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
  const chosen = SCENARIOS.filter(({ name, byDefault }) =>
    asked.scenarios.length === 0 ? byDefault : asked.scenarios.includes(name),
  );
  let programs: Promise<Programs> | undefined;
  const context: ScenarioContext = {
    full: asked.full,
    runs: asked.runs,
    programs: () => (programs ??= compilePrograms()),
    progress: (text) => console.error(`  ${text}`),
  };

  const startedAt = new Date();
  const environment = await readEnvironment();
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
}

function helpText(): string {
  const width = Math.max(...SCENARIOS.map(({ name }) => name.length));
  const lines = SCENARIOS.map(
    ({ name, summary, byDefault }) =>
      `  ${name.padEnd(width)}  ${byDefault ? ' ' : '*'} ${summary}`,
  );
  return [
    'Usage: npm run bench -- [scenario ...] [--full] [--runs <count>]',
    '',
    'Scenarios (* only when named):',
    ...lines,
    '',
    'Options:',
    '  --full          more runs and settings, larger layers: the figures to publish',
    '  --runs <count>  counted runs of each contestant, 1..100',
    '  -h, --help      this text',
    '',
    'Tables and raw figures go to bench/results.',
  ].join('\n');
}
