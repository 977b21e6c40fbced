/** The JSON that a benchmark leaves behind. */

import type { Environment } from '../environment.ts';
import type { Figure } from './figure.ts';

/**
 * Raised when a member changes its meaning or goes.
 * 2: sections have `figures`, runs have `processWallMs`.
 */
export const RESULT_SCHEMA_VERSION = 2;

export interface ResultSection {
  /** Names the setting, sizes included: equal titles are the same task. */
  readonly title: string;
  /** What can be compared with another result. */
  readonly figures: readonly Figure[];
  /** Every single run, in a form of the scenario's own. */
  readonly data: unknown;
}

export interface ResultDocument {
  readonly schemaVersion: number;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly full: boolean;
  readonly environment: Environment;
  readonly scenarios: readonly {
    readonly name: string;
    readonly sections: readonly ResultSection[];
  }[];
}

/** @throws Error with a sentence for the reader, for another schema version or something else */
export function parseResult(text: string, name: string): ResultDocument {
  let value: Partial<ResultDocument> | null;
  try {
    value = JSON.parse(text) as Partial<ResultDocument> | null;
  } catch {
    throw new Error(`${name} is not JSON`);
  }
  const version = value?.schemaVersion;
  if (typeof version !== 'number') throw new Error(`${name} is not a result of this benchmark`);
  if (version !== RESULT_SCHEMA_VERSION) {
    throw new Error(
      `${name} has schema version ${version}, this benchmark writes ${RESULT_SCHEMA_VERSION}: ` +
        'measure the older commit again with this harness',
    );
  }
  if (value?.environment === undefined || !Array.isArray(value.scenarios)) {
    throw new Error(`${name} has no environment or no scenarios`);
  }
  return value as ResultDocument;
}
