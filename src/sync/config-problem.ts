/** What is wrong with a configuration, in words, and where. */

import type { z } from 'zod';
import { LongshoreError } from '../errors.ts';
import type { TextPlace, YamlPath } from './yaml-document.ts';

export interface ConfigProblem {
  readonly path: YamlPath;
  readonly problem: string;
  /** Whether the key is the problem, rather than its value. */
  readonly atKey?: boolean;
}

/** Problems that a message tells; the details have all. */
const SHOWN_MAX = 20;

/** `mappings[0].tags.include[2]`, `registries["docker.io"]`. */
export function formatPath(path: YamlPath): string {
  return path
    .map((step, index) => {
      if (typeof step === 'number') return `[${step}]`;
      if (!/^[A-Za-z_]\w*$/.test(step)) return `[${JSON.stringify(step)}]`;
      return index === 0 ? step : `.${step}`;
    })
    .join('');
}

/** One error for all problems of a file, in the file's order. */
export function configInvalid(
  file: string,
  problems: readonly (TextPlace & { readonly path: YamlPath; readonly problem: string })[],
): LongshoreError<'E_CONFIG_INVALID'> {
  const sorted = problems
    .toSorted((left, right) => left.line - right.line || left.column - right.column)
    .map(({ line, column, path, problem }) => ({ line, column, path: formatPath(path), problem }));
  const shown = sorted.slice(0, SHOWN_MAX).map(({ line, column, path, problem }) => {
    const where = `${file}:${line}:${column}`;
    return path === '' ? `${where}: ${problem}` : `${where}: ${path}: ${problem}`;
  });
  const hiddenCount = sorted.length - shown.length;
  if (hiddenCount > 0) shown.push(`and ${hiddenCount} more`);
  return new LongshoreError('E_CONFIG_INVALID', shown.join('\n'), { file, problems: sorted });
}

/** What zod found, in our words; values are not repeated, for they may be passwords. */
export function problemsOfIssues(
  issues: readonly z.core.$ZodIssue[],
  input: unknown,
): readonly ConfigProblem[] {
  return issues.flatMap((issue) => problemsOfIssue(issue, issue.path as YamlPath, input));
}

function problemsOfIssue(
  issue: z.core.$ZodIssue,
  path: YamlPath,
  input: unknown,
): readonly ConfigProblem[] {
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({
        path: [...path, key],
        problem: issue.message,
        atKey: true,
      }));
    case 'invalid_union':
      return problemsOfUnion(issue, path, input);
    case 'invalid_key':
      return [{ path, problem: issue.issues[0]?.message ?? issue.message, atKey: true }];
    case 'custom':
      return [{ path, problem: issue.message }];
    default:
      return [{ path, problem: `expected ${expectedBy(issue)}, ${receivedAt(path, input)}` }];
  }
}

/** Of a union, what the branch says whose kind was meant; else what would have been possible. */
function problemsOfUnion(
  issue: z.core.$ZodIssueInvalidUnion,
  path: YamlPath,
  input: unknown,
): readonly ConfigProblem[] {
  const isOtherKind = (inner: z.core.$ZodIssue): boolean =>
    inner.path.length === 0 && (inner.code === 'invalid_type' || inner.code === 'invalid_value');
  const meant = issue.errors.find((branch) => !branch.some(isOtherKind));
  if (meant !== undefined) {
    return meant.flatMap((inner) =>
      problemsOfIssue(inner, [...path, ...(inner.path as YamlPath)], input),
    );
  }
  const kinds = issue.errors.flatMap((branch) => branch.slice(0, 1).map(expectedBy));
  return [{ path, problem: `expected ${kinds.join(' or ')}, ${receivedAt(path, input)}` }];
}

const KINDS: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'fields',
  record: 'fields',
};

function expectedBy(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return KINDS[issue.expected] ?? issue.expected;
    case 'invalid_value':
      return issue.values.map((value) => JSON.stringify(value)).join(' or ');
    case 'too_small':
      return `at least ${String(issue.minimum)}${unitOf(issue.origin)}`;
    case 'too_big':
      return `at most ${String(issue.maximum)}${unitOf(issue.origin)}`;
    default:
      return issue.message;
  }
}

function unitOf(origin: string): string {
  if (origin === 'string') return ' character(s)';
  return origin === 'array' ? ' of them' : '';
}

function receivedAt(path: YamlPath, input: unknown): string {
  let value = input;
  for (const step of path) value = (value as Record<string | number, unknown> | undefined)?.[step];
  return `received ${kindOf(value)}`;
}

/** What a value is, without saying it; numbers are said. */
export function kindOf(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (typeof value === 'number') return String(value);
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (value === '') return 'an empty text';
  return typeof value === 'object' ? 'fields' : (KINDS[typeof value] ?? `a ${typeof value}`);
}
