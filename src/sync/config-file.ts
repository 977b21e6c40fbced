/** The YAML file that tells a sync what to copy. */

import { readFile, stat } from 'node:fs/promises';
import { LongshoreError, systemCodeOf } from '../errors.ts';
import { problemsOf } from './config-check.ts';
import { configInvalid } from './config-problem.ts';
import { splitTag } from './config-value.ts';
import type { SyncConfig, SyncMapping } from './sync-config.ts';
import { readYaml, YAML_BYTES_MAX, type YamlPath } from './yaml-document.ts';

/** What a checked file holds. */
interface SyncConfigFile extends SyncConfig {
  readonly version: 1;
  readonly defaults?: Partial<SyncMapping>;
}

const NUMBER_FIELDS: ReadonlySet<unknown> = new Set(['version', 'newest', 'requestsInFlight']);

/**
 * Reads a configuration from YAML 1.2: `version: 1` and the fields of {@link SyncConfig}. Fields of
 * `defaults` go to every mapping that does not give them; a tag in `from` (`nginx:1.27`) stands for
 * `tags: {include: [1.27]}`. Environment variables are not expanded: a `$` is a `$`. Relative paths are those
 * of the process. At most 1 MiB.
 * @param file for messages
 * @throws LongshoreError E_CONFIG_INVALID with all problems
 */
export function parseSyncConfig(text: string, file = 'sync.yaml'): SyncConfig {
  const yaml = readYaml(text, { isNumber });
  if (yaml.problems.length > 0) throw configInvalid(file, yaml.problems);
  const value = withoutEmptyFields(yaml.value);
  const problems = problemsOf(value, 'file');
  if (problems.length === 0) return completed(value as SyncConfigFile);
  throw configInvalid(
    file,
    problems.map(({ path, problem, atKey }) => ({
      ...yaml.placeOf(path, atKey === true ? 'key' : 'value'),
      path,
      problem,
    })),
  );
}

/**
 * Reads a configuration from a file; see {@link parseSyncConfig}.
 * @throws LongshoreError E_SOURCE_UNREADABLE, E_CONFIG_INVALID with all problems
 */
export async function readSyncConfig(path: string): Promise<SyncConfig> {
  const text = await textOf(path);
  return parseSyncConfig(text, path);
}

async function textOf(path: string): Promise<string> {
  try {
    // What is much too large is not even read.
    const { size } = await stat(path);
    if (size <= YAML_BYTES_MAX) return await readFile(path, 'utf8');
  } catch (error) {
    const systemCode = systemCodeOf(error);
    throw new LongshoreError(
      'E_SOURCE_UNREADABLE',
      `${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      { source: path, ...(systemCode !== undefined && { systemCode }) },
      { cause: error },
    );
  }
  const problem = `expected at most ${YAML_BYTES_MAX} bytes`;
  throw configInvalid(path, [{ line: 1, column: 1, path: [], problem }]);
}

function isNumber(path: YamlPath): boolean {
  return NUMBER_FIELDS.has(path.at(-1)) || path.at(-2) === 'callsPerSecondMax';
}

/** `targets: {main: }` is a target of nothing but defaults. */
function withoutEmptyFields(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const config: Record<string, unknown> = { ...value };
  for (const name of ['registries', 'targets']) {
    const settings = config[name];
    if (typeof settings !== 'object' || settings === null || Array.isArray(settings)) continue;
    config[name] = Object.fromEntries(
      Object.entries(settings).map(([key, setting]: [string, unknown]) => [key, setting ?? {}]),
    );
  }
  if (config['defaults'] === null) delete config['defaults'];
  return config;
}

function completed({ registries, targets, defaults, mappings }: SyncConfigFile): SyncConfig {
  return {
    ...(registries !== undefined && { registries }),
    targets,
    mappings: mappings.map((mapping) => ({ ...defaults, ...withoutTag(mapping) })),
  };
}

function withoutTag(mapping: SyncMapping): SyncMapping {
  if (typeof mapping.from !== 'string') return mapping;
  const { repository, tag } = splitTag(mapping.from);
  if (tag === undefined) return mapping;
  return { ...mapping, from: repository, tags: { include: [tag] } };
}
