/** The report as a file: written whole or not at all, and read again for `--only-failed`. */

import { access, constants, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CommandFailure } from './command-failure.ts';
import type { SyncReport } from './sync-functions.ts';
import { UsageError } from './usage-error.ts';

/** A report of a million tags; a file beyond it is none of ours. */
const SIZE_MAX_BYTES = 512 * 1024 * 1024;

/**
 * Looks before the work whether there will be a place for its report.
 * @throws UsageError
 */
export async function checkReportPlace(path: string): Promise<void> {
  try {
    await access(dirname(path), constants.W_OK);
  } catch (error) {
    throw new UsageError(`cannot write the file of --report: ${reasonOf(error)}`);
  }
}

/**
 * @param processId makes the name of the temporary file beside it
 * @throws CommandFailure
 */
export async function writeReport(
  path: string,
  report: SyncReport,
  processId: number,
): Promise<void> {
  const temporary = `${path}.${processId}.tmp`;
  try {
    const file = await open(temporary, 'w');
    try {
      await file.writeFile(`${JSON.stringify(report, undefined, 2)}\n`);
      // Otherwise a crash of the machine could leave an empty file under the report's name.
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw new CommandFailure(`cannot write the report: ${reasonOf(error)}`);
  }
}

/** @throws UsageError */
export async function readReport(path: string): Promise<SyncReport> {
  let text: string;
  try {
    const { size } = await stat(path);
    if (size > SIZE_MAX_BYTES) throw new Error('the file is too large for a report');
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new UsageError(`cannot read the file of --only-failed: ${reasonOf(error)}`);
  }
  const value = parse(text);
  if (!isReport(value)) {
    throw new UsageError(`${path} is no report of longshore sync; have one written by --report`);
  }
  return value;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const STATUSES: readonly unknown[] = ['copied', 'skipped', 'failed', 'not-started'];

/** As far as `onlyFailed` looks at it. */
function isReport(value: unknown): value is SyncReport {
  if (!isObject(value) || value['version'] !== 1) return false;
  const { tags } = value;
  return Array.isArray(tags) && tags.every(isTag);
}

function isTag(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { source, tag, status, mapping, target, repository } = value;
  const isNameOrNone = (name: unknown): boolean => name === undefined || typeof name === 'string';
  return (
    typeof source === 'string' &&
    typeof tag === 'string' &&
    typeof mapping === 'number' &&
    isNameOrNone(target) &&
    isNameOrNone(repository) &&
    STATUSES.includes(status)
  );
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
