/** What a benchmark leaves behind: raw figures for programs, tables for people. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Environment } from '../environment.ts';
import { formatEnvironment } from '../environment.ts';
import type { Section } from '../scenario.ts';
import { formatTable } from './table.ts';

/** Raised when a member changes its meaning or goes. */
export const RESULT_SCHEMA_VERSION = 1;

export interface ScenarioResult {
  readonly name: string;
  readonly sections: readonly Section[];
}

export interface Results {
  readonly startedAt: Date;
  readonly environment: Environment;
  readonly full: boolean;
  readonly scenarios: readonly ScenarioResult[];
}

const FOLDER = fileURLToPath(new URL('../results/', import.meta.url));

/** The file's content, without the tables, which say the same again. */
export function resultJson({ startedAt, environment, full, scenarios }: Results): string {
  const value = {
    schemaVersion: RESULT_SCHEMA_VERSION,
    startedAt: startedAt.toISOString(),
    full,
    environment,
    scenarios: scenarios.map(({ name, sections }) => ({
      name,
      sections: sections.map(({ table, data }) => ({ title: table.title, data })),
    })),
  };
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

/** The tables under the fingerprint of the machine. */
export function resultMarkdown({ startedAt, environment, full, scenarios }: Results): string {
  return [
    `# Benchmark of ${startedAt.toISOString()}${full ? ', full' : ''}`,
    '',
    formatEnvironment(environment),
    '',
    ...scenarios.flatMap(({ name, sections }) => [
      `## ${name}`,
      '',
      ...sections.map(({ table }) => formatTable(table)),
    ]),
  ].join('\n');
}

/** Writes both files, over those of the same start; returns the Markdown's path. */
export function saveResults(results: Results): string {
  mkdirSync(FOLDER, { recursive: true });
  const stem = join(FOLDER, results.startedAt.toISOString().replaceAll(':', '-').slice(0, 19));
  writeFileSync(`${stem}.json`, resultJson(results));
  writeFileSync(`${stem}.md`, resultMarkdown(results));
  return relative(process.cwd(), `${stem}.md`);
}
