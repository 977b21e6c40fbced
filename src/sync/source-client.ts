/** The client of one source registry, as the configuration and the caller want it. */

import { readFile } from 'node:fs/promises';
import { ecrCredentials } from '../ecr/ecr-credentials.ts';
import { optionInvalid, systemCodeOf } from '../errors.ts';
import type { RegistryCredentials, RegistryOptions } from '../registry/client-options.ts';
import type { Surroundings } from '../registry/surroundings.ts';
import type { SourceRegistrySettings } from './sync-config.ts';

export type FindCredentials = (host: string) => Promise<RegistryCredentials | undefined>;

/** Largest file of certificates; the bundles of whole systems have a quarter of that. */
const AUTHORITIES_BYTES_MAX: number = 1024 * 1024;

/**
 * @param find the caller's own way to credentials, which comes first; then the settings', AWS's for ECR,
 * and by the client itself Docker's configuration
 * @throws LongshoreError E_OPTION_INVALID
 */
export async function clientOptionsOf(
  registry: string,
  settings: SourceRegistrySettings,
  surroundings: Surroundings,
  find: FindCredentials | undefined,
): Promise<RegistryOptions> {
  const { plainHttp, certificateAuthorityFile } = settings;
  const login = loginOf(registry, settings, surroundings);
  const ofAws = ecrCredentials();
  return {
    credentials: async (host) => (await find?.(host)) ?? login ?? ofAws(host),
    ...(plainHttp !== undefined && { plainHttp }),
    ...(certificateAuthorityFile !== undefined && {
      certificateAuthorities: await readAuthorities(registry, certificateAuthorityFile),
    }),
  };
}

function loginOf(
  registry: string,
  { credentials }: SourceRegistrySettings,
  { environment }: Surroundings,
): RegistryCredentials | undefined {
  if (credentials === undefined) return undefined;
  const { username, passwordEnv } = credentials;
  const password = environment[passwordEnv] ?? '';
  if (password !== '') return { username, password };
  throw optionInvalid(
    `registries.${registry}.credentials.passwordEnv`,
    'the name of an environment variable that holds the password',
    `${passwordEnv}, which is not set`,
  );
}

async function readAuthorities(registry: string, path: string): Promise<string> {
  const option = `registries.${registry}.certificateAuthorityFile`;
  const expected = 'a file of PEM certificates of at most 1 MiB';
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw optionInvalid(option, expected, `${path}: ${systemCodeOf(error) ?? 'not readable'}`);
  }
  if (text.length <= AUTHORITIES_BYTES_MAX) return text;
  throw optionInvalid(option, expected, `${path} of ${text.length} characters`);
}
