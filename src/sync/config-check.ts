/** What a configuration has to be, beyond the kinds of its fields. */

import { LongshoreError } from '../errors.ts';
import { type ConfigProblem, formatPath, kindOf, problemsOfIssues } from './config-problem.ts';
import { configFileSchema, configSchema } from './config-schema.ts';
import { fileFromProblem, fromProblem, splitTag } from './config-value.ts';
import { parseFrom } from './from-pattern.ts';
import { repositoryNameFor, templateProblem } from './repository-name.ts';
import type { SyncConfig } from './sync-config.ts';
import type { YamlPath } from './yaml-document.ts';

type Fields = Readonly<Record<string, unknown>>;

/**
 * Checks a configuration that a program made.
 * @throws LongshoreError E_OPTION_INVALID for the first problem: `details.option` is its path,
 *   `mappings[0].tags.newest`
 */
export function checkSyncConfig(config: SyncConfig): void {
  const [first] = problemsOf(config, 'object');
  if (first === undefined) return;
  const option = formatPath(first.path) || 'config';
  let received: unknown = config;
  for (const step of first.path) received = (received as Fields | undefined)?.[step];
  const details = { option, expected: first.problem, received: kindOf(received) };
  throw new LongshoreError('E_OPTION_INVALID', `${option}: ${first.problem}`, details);
}

/** All problems of a file's value, or of a configuration. */
export function problemsOf(value: unknown, kind: 'file' | 'object'): readonly ConfigProblem[] {
  const schema = kind === 'file' ? configFileSchema : configSchema;
  const { error } = schema.safeParse(value);
  const problems = error === undefined ? [] : problemsOfIssues(error.issues, value);
  return [...problems, ...problemsBetweenFields(value, kind)];
}

/** Also where fields are of the wrong kind, so that a file's problems are told at once. */
function problemsBetweenFields(value: unknown, kind: 'file' | 'object'): readonly ConfigProblem[] {
  const { targets, defaults, mappings } = fieldsOf(value);
  const names = isFields(targets) ? Object.keys(targets) : undefined;
  const byDefault = kind === 'file' ? fieldsOf(defaults) : {};
  const problems: ConfigProblem[] = [];
  if (names?.length === 0)
    problems.push({ path: ['targets'], problem: 'expected at least one target' });
  if (kind === 'file') problems.push(...problemsOfRules(byDefault, ['defaults'], names));
  for (const [index, mapping] of textsOrFields(mappings).entries()) {
    const path = ['mappings', index];
    const own = fieldsOf(mapping);
    problems.push(
      ...problemsOfRules(own, path, names),
      ...(kind === 'file' ? problemsOfTags(own, path) : []),
      ...problemsOfNames(own, byDefault, path, kind),
    );
  }
  return problems;
}

function problemsOfRules(
  rules: Fields,
  path: YamlPath,
  names: readonly string[] | undefined,
): readonly ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  for (const [index, name] of textsOrFields(rules['targets']).entries()) {
    if (names === undefined || typeof name !== 'string' || names.includes(name)) continue;
    const problem = `is not in targets, which has ${names.join(', ') || 'none'}`;
    problems.push({ path: [...path, 'targets', index], problem });
  }
  const tags = fieldsOf(rules['tags']);
  if (tags['prereleases'] !== undefined && tags['semver'] === undefined) {
    problems.push({
      path: [...path, 'tags', 'prereleases'],
      problem: 'says something about semver, which is not given',
      atKey: true,
    });
  }
  return problems;
}

/** Tags that files have in `from`. */
function problemsOfTags(mapping: Fields, path: YamlPath): readonly ConfigProblem[] {
  const { from, tags } = mapping;
  if (Array.isArray(from)) {
    return textsOrFields(from).flatMap((entry, index) =>
      typeof entry !== 'string' || splitTag(entry).tag === undefined
        ? []
        : [
            {
              path: [...path, 'from', index],
              problem:
                'has a tag, which only a single repository can have: use tags.include, or several mappings',
            },
          ],
    );
  }
  if (typeof from !== 'string' || tags === undefined || splitTag(from).tag === undefined) return [];
  return [
    { path: [...path, 'from'], problem: 'has a tag, and tags are given too: expected one of both' },
  ];
}

/** Names in the target that are known already, since their source is no pattern. */
function problemsOfNames(
  mapping: Fields,
  byDefault: Fields,
  path: YamlPath,
  kind: 'file' | 'object',
): readonly ConfigProblem[] {
  const template = mapping['to'] ?? byDefault['to'] ?? '{repository}';
  if (typeof template !== 'string' || templateProblem(template) !== undefined) return [];
  const { from } = mapping;
  const check = kind === 'file' ? fileFromProblem : fromProblem;
  const sources = Array.isArray(from) ? textsOrFields(from) : [from];
  return sources.flatMap((source, index) => {
    if (typeof source !== 'string' || source === '' || check(source) !== undefined) return [];
    const problem = nameProblem(template, kind === 'file' ? splitTag(source).repository : source);
    if (problem === undefined) return [];
    const isOwn = mapping['to'] !== undefined;
    const fromPath = Array.isArray(from) ? ['from', index] : ['from'];
    return [{ path: [...path, ...(isOwn ? ['to'] : fromPath)], problem }];
  });
}

function nameProblem(template: string, source: string): string | undefined {
  const from = parseFrom(source);
  if (from.kind === 'pattern') return undefined;
  const { registry, repository } =
    from.kind === 'layout' ? { registry: '', repository: from.folder } : from;
  try {
    repositoryNameFor(template, { registry, repository });
    return undefined;
  } catch (error) {
    if (!LongshoreError.is(error, 'E_OPTION_INVALID')) throw error;
    return `expected ${error.details.expected}, received ${error.details.received}`;
  }
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function fieldsOf(value: unknown): Fields {
  return isFields(value) ? value : {};
}

function textsOrFields(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as readonly unknown[]) : [];
}
