/** What a benchmark leaves behind: raw figures for programs, tables for people. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Environment } from '../environment.ts';
import { formatEnvironment } from '../environment.ts';
import type { Section } from '../scenario.ts';
import type { ResultDocument } from './result-schema.ts';
import { RESULT_SCHEMA_VERSION } from './result-schema.ts';
import { formatTable } from './table.ts';

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

/** What the JSON holds: everything but the tables and charts, which say the same again. */
export function resultDocument(results: Results): ResultDocument {
  const { startedAt, environment, full, scenarios } = results;
  return {
    schemaVersion: RESULT_SCHEMA_VERSION,
    startedAt: startedAt.toISOString(),
    full,
    environment,
    scenarios: scenarios.map(({ name, sections }) => ({
      name,
      sections: sections.map(({ table, figures = [], data }) => ({
        title: table.title,
        figures,
        data,
      })),
    })),
  };
}

/** The file's content. */
export function resultJson(results: Results): string {
  return `${JSON.stringify(resultDocument(results), undefined, 2)}\n`;
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

/** Writes figures and tables, over those of the same start; returns the Markdown's path. */
export function saveResults(results: Results): string {
  mkdirSync(FOLDER, { recursive: true });
  const stem = stemOf(results);
  writeFileSync(`${stem}.json`, resultJson(results));
  writeFileSync(`${stem}.md`, resultMarkdown(results));
  return relative(process.cwd(), `${stem}.md`);
}

/** Writes the report with charts beside them; returns its path. */
export async function saveReport(results: Results): Promise<string> {
  // Loaded when everything is measured: it is large, and contestants are started from here.
  const { resultHtml } = await import('./html-report.ts');
  const path = `${stemOf(results)}.html`;
  writeFileSync(path, await resultHtml(results));
  return relative(process.cwd(), path);
}

function stemOf({ startedAt }: Results): string {
  return join(FOLDER, startedAt.toISOString().replaceAll(':', '-').slice(0, 19));
}
