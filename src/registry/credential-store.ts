/** Where credentials are looked for, in which order, and that it is done once. */

import { join } from 'node:path';
import type { ResolvedRegistryOptions } from './client-options.ts';
import { askHelper, HelperProblem } from './credential-helper.ts';
import {
  ConfigProblem,
  type DockerConfig,
  readDockerConfig,
  storedFor,
  type StoredCredentials,
} from './docker-config.ts';
import { credentialNamesOf, helperServerOf } from './endpoint.ts';
import { ReadFault } from './read-fault.ts';
import type { Surroundings } from './surroundings.ts';

export interface FoundCredentials {
  readonly stored: StoredCredentials | undefined;
  /** Where they are from, or what kept us from finding any: for whoever is refused. */
  readonly remark: string;
}

interface ConfigFile {
  readonly path: string;
  readonly config: DockerConfig | undefined;
  readonly problem: string | undefined;
}

/** Finds the credentials of one registry, without asking any helper twice. */
export class CredentialStore {
  readonly #registry: string;
  readonly #given: ResolvedRegistryOptions['credentials'];
  readonly #surroundings: Surroundings;
  /** Outlives each call that waits: others wait for the same. */
  readonly #signal: AbortSignal;
  #files: Promise<readonly ConfigFile[]> | undefined;
  #answers = new Map<string, Promise<FoundCredentials>>();

  constructor(
    registry: string,
    given: ResolvedRegistryOptions['credentials'],
    surroundings: Surroundings,
    signal: AbortSignal,
  ) {
    this.#registry = registry;
    this.#given = given;
    this.#surroundings = surroundings;
    this.#signal = signal;
  }

  /** @throws ReadFault if the caller's own function failed */
  async find(repository: string): Promise<FoundCredentials> {
    const given = await this.#fromCaller();
    if (given !== undefined) return given;
    this.#files ??= this.#readFiles();
    const problems: string[] = [];
    for (const file of await this.#files) {
      if (file.problem !== undefined) problems.push(file.problem);
      if (file.config === undefined) continue;
      const found = await this.#inFile(file.path, file.config, repository);
      if (found.stored !== undefined) return found;
      if (found.remark !== '') problems.push(found.remark);
    }
    return { stored: undefined, remark: problems.join('; ') };
  }

  /** They were refused: asks anew next time. */
  forget(): void {
    this.#files = undefined;
    this.#answers.clear();
  }

  async #fromCaller(): Promise<FoundCredentials | undefined> {
    const given = this.#given;
    if (given === undefined) return undefined;
    const remark = 'the credentials of the options';
    if (typeof given !== 'function') return { stored: given, remark };
    const answer = await this.#once('', async () => {
      try {
        return { stored: await given(this.#registry), remark };
      } catch (cause) {
        // Its message may be about anything, secrets included.
        throw new ReadFault(
          'denied',
          `the function given as credentials failed for ${this.#registry}`,
          'see the cause',
          { cause },
        );
      }
    });
    return answer.stored === undefined ? undefined : answer;
  }

  async #inFile(path: string, config: DockerConfig, repository: string): Promise<FoundCredentials> {
    const names = credentialNamesOf(this.#registry);
    const own = names.map((name) => config.helpers.get(name)).find((name) => name !== undefined);
    const problems: string[] = [];
    for (const helper of [own, config.store]) {
      if (helper === undefined) continue;
      const answer = await this.#once(helper, () => this.#ask(helper));
      if (answer.stored !== undefined) return answer;
      if (answer.remark !== '') problems.push(answer.remark);
    }
    const stored = storedFor(config.auths, names, repository);
    return { stored, remark: stored === undefined ? problems.join('; ') : path };
  }

  /** A helper that fails is no reason not to try without a login. */
  async #ask(helper: string): Promise<FoundCredentials> {
    try {
      const server = helperServerOf(this.#registry);
      const stored = await askHelper(helper, server, this.#surroundings, this.#signal);
      return { stored, remark: stored === undefined ? '' : `docker-credential-${helper}` };
    } catch (error) {
      if (error instanceof HelperProblem) return { stored: undefined, remark: error.message };
      throw error;
    }
  }

  async #readFiles(): Promise<readonly ConfigFile[]> {
    const { environment, homeDirectory } = this.#surroundings;
    const folder = environment['DOCKER_CONFIG'] ?? '';
    const paths = [
      environment['REGISTRY_AUTH_FILE'] ?? '',
      join(folder === '' ? join(homeDirectory, '.docker') : folder, 'config.json'),
    ];
    return Promise.all(paths.filter((path) => path !== '').map((path) => this.#readFile(path)));
  }

  async #readFile(path: string): Promise<ConfigFile> {
    try {
      const config = await readDockerConfig(path, this.#signal);
      return { path, config, problem: undefined };
    } catch (error) {
      if (!(error instanceof ConfigProblem)) throw error;
      return { path, config: undefined, problem: error.message };
    }
  }

  #once(key: string, ask: () => Promise<FoundCredentials>): Promise<FoundCredentials> {
    const known = this.#answers.get(key);
    if (known !== undefined) return known;
    const answer = ask();
    this.#answers.set(key, answer);
    // A failure is not kept; whoever waits is told of it.
    answer.catch(() => this.#answers.delete(key));
    return answer;
  }
}
