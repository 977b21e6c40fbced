/** The matrix as a table for people: made of what the tests expect, so it says what they have seen. */

import { LongshoreError } from '../../src/index.ts';
import type { ErrorCode } from '../../src/index.ts';
import type { Ending, Expectation, Operation } from './fault.ts';
import { ECR_OPERATIONS, OPERATIONS } from './fault.ts';
import { LOCAL_FAULTS } from './local-faults.ts';
import { NETWORK_FAULTS } from './network-faults.ts';
import { REPLY_FAULTS } from './reply-faults.ts';

interface Row {
  readonly name: string;
  readonly where: string;
  readonly answer: string;
  readonly passing: Ending;
  readonly lasting: Ending;
}

const HEAD = [
  '| what goes wrong | where | what longshore does | what the caller sees | `retryable` |',
  '|---|---|---|---|---|',
];

export function faultTable(): string {
  const rows: Row[] = [
    ...[...REPLY_FAULTS, ...NETWORK_FAULTS].flatMap(({ name, expectations }) =>
      expectations.map((expectation) => ({ name, ...expectation, where: placeOf(expectation) })),
    ),
    ...LOCAL_FAULTS,
  ];
  return [...HEAD, ...merged(rows).map(lineOf)].join('\n');
}

/** Faults that differ in their names only share a line. */
function merged(rows: readonly Row[]): Row[] {
  const byMeaning = new Map<string, Row>();
  for (const row of rows) {
    const { name, where, answer, passing, lasting } = row;
    const key = [where, answer, passing, lasting].join('|');
    const before = byMeaning.get(key);
    byMeaning.set(
      key,
      before === undefined || before.name === name
        ? row
        : { ...row, name: `${before.name}; ${name}` },
    );
  }
  return [...byMeaning.values()];
}

function lineOf({ name, where, answer, passing, lasting }: Row): string {
  const sight = sightOf(passing, lasting);
  return `| ${name} | ${where} | ${answer} | ${sight} | ${retryableOf(passing, lasting)} |`;
}

function sightOf(passing: Ending, lasting: Ending): string {
  if (passing !== 'finishes') return `\`${passing}\``;
  return lasting === 'finishes' ? 'nothing' : `nothing; if it lasts, \`${lasting}\``;
}

function retryableOf(...endings: readonly Ending[]): string {
  const code = endings.find((ending) => ending !== 'finishes');
  if (code === undefined) return '';
  return isRetryable(code) ? 'yes' : 'no';
}

function isRetryable(code: Exclude<Ending, 'finishes'>): boolean {
  return new LongshoreError<ErrorCode>(code, '', {}).retryable;
}

function placeOf({ operations }: Expectation): string {
  if (operations.length === OPERATIONS.length) return 'every call and download';
  const lacking = ECR_OPERATIONS.filter((operation) => !operations.includes(operation));
  if (lacking.length === 0) return 'every call';
  if (lacking.length <= 2) return `every call but ${listed(lacking)}`;
  return listed(operations);
}

function listed(operations: readonly Operation[]): string {
  return operations
    .map((operation) => (operation.includes(' ') ? operation : `\`${operation}\``))
    .join(', ');
}
