/** The option `resumeDirectory`: where the journals of layers are kept. */

import { resolve } from 'node:path';
import { optionInvalid } from '../errors.ts';
import type { LayerJournals } from '../layer/layer-journal.ts';

/** The options that tell where journals are, and whose. */
interface JournalOptions {
  readonly resumeDirectory: string | undefined;
  readonly region: string | undefined;
  readonly endpoint: string | undefined;
  readonly registryId: string | undefined;
  readonly client: {
    readonly region?: unknown;
    readonly endpoint?: unknown;
    readonly profile?: unknown;
  };
}

/** Settings of the environment that lead to another registry. */
const REGISTRY_VARIABLES = [
  'AWS_REGION',
  'AWS_DEFAULT_REGION',
  'AWS_PROFILE',
  'AWS_ENDPOINT_URL',
  'AWS_ENDPOINT_URL_ECR',
];

/**
 * An absolute path: what is resumed must not depend on where a program was started.
 * @throws LongshoreError E_OPTION_INVALID
 */
export function resolveResumeDirectory(path: string | undefined): string | undefined {
  if (path === undefined) return undefined;
  if (typeof path !== 'string' || path === '') {
    throw optionInvalid('resumeDirectory', 'the path of a folder', `a ${typeof path}`);
  }
  return resolve(path);
}

/** `undefined` where nothing is to be kept. */
export function journalsOf(
  { resumeDirectory, region, endpoint, registryId, client }: JournalOptions,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): LayerJournals | undefined {
  if (resumeDirectory === undefined) return undefined;
  const registry = [
    endpoint ?? textOf(client.endpoint),
    region ?? textOf(client.region),
    registryId,
    textOf(client.profile),
    ...REGISTRY_VARIABLES.map((name) => environment[name]),
  ];
  let folder: Promise<LayerJournals> | undefined;
  return {
    open: async (identity, onProblem) => {
      // With the first layer that has one: who resumes nothing need not load it.
      folder ??= import('../journal/journal-folder.ts').then(
        ({ JournalFolder }) => new JournalFolder({ path: resumeDirectory, registry }),
      );
      return (await folder).open(identity, onProblem);
    },
  };
}

/** The AWS client also takes functions, which nobody can tell apart. */
function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
