/** The source repositories of a sync. Each registry has one client, whatever the number of images. */

import { setMaxListeners } from 'node:events';
import { LongshoreError } from '../errors.ts';
import { parseReference } from '../registry/reference.ts';
import {
  type PauseNotice,
  RegistryTraffic,
  type TrafficOptions,
} from '../registry/registry-traffic.ts';
import { processSurroundings, type Surroundings } from '../registry/surroundings.ts';
import { cachingReader } from './caching-reader.ts';
import { parseFrom } from './from-pattern.ts';
import { LayoutRepository } from './layout-source.ts';
import { RegistryRepository, type SourceRegistry } from './registry-repository.ts';
import { clientOptionsOf, type FindCredentials } from './source-client.ts';
import type { SourceRepositories, SourceRepository, SourceUsage } from './source-repository.ts';
import type { SourceRegistrySettings } from './sync-config.ts';

export interface RegistrySourcesOptions {
  /** By registries as references have them, also in their short forms. */
  readonly registries?: Readonly<Record<string, SourceRegistrySettings>>;
  /** The caller's own way to credentials; it comes before all others. */
  readonly credentials?: FindCredentials;
  /** Where `passwordEnv` is looked up, and what Docker and proxies are told by. Default: the process's. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Told when a registry wants no more requests for a while. */
  readonly onPause?: (notice: PauseNotice) => void;
  /** Longest such while that is waited for, 0..86,400,000. Default 3,600,000 ms. */
  readonly pauseMsMax?: number;
  /** Default: those of the process. */
  readonly surroundings?: Surroundings;
}

/** Repositories of one registry that a pattern may name. */
const REPOSITORIES_MAX = 100_000;

export class RegistrySources implements SourceRepositories {
  readonly #settings: ReadonlyMap<string, SourceRegistrySettings>;
  readonly #credentials: FindCredentials | undefined;
  readonly #surroundings: Surroundings;
  readonly #trafficOptions: TrafficOptions;
  readonly #registries = new Map<string, Promise<SourceRegistry>>();
  readonly #traffic = new Map<string, RegistryTraffic>();
  readonly #layouts = new Map<string, LayoutRepository>();
  readonly #end = new AbortController();

  /** @throws LongshoreError E_OPTION_INVALID */
  constructor(options: RegistrySourcesOptions = {}) {
    const { registries = {}, credentials, environment, onPause, pauseMsMax } = options;
    const surroundings = options.surroundings ?? processSurroundings();
    // As many as there are requests at once; each leaves its listener when it ends.
    setMaxListeners(0, this.#end.signal);
    this.#credentials = credentials;
    this.#trafficOptions = {
      ...(onPause !== undefined && { onPause }),
      ...(pauseMsMax !== undefined && { pauseMsMax }),
    };
    this.#surroundings =
      environment === undefined ? surroundings : { ...surroundings, environment };
    this.#settings = new Map(
      Object.entries(registries).map(([name, settings]) => [hostOf(name), settings]),
    );
  }

  async *expand(from: string, signal: AbortSignal): AsyncGenerator<SourceRepository, void> {
    signal.throwIfAborted();
    const parsed = parseFrom(from);
    if (parsed.kind !== 'pattern') {
      yield this.named(from);
      return;
    }
    const { registry, matches } = parsed;
    const { client } = await this.#connect(registry);
    const seen = new Set<string>();
    try {
      for await (const page of client.listRepositories(signal)) {
        for (const repository of page) {
          if (seen.has(repository) || !matches(repository)) continue;
          if (seen.size >= REPOSITORIES_MAX) throw tooMany(from, registry);
          seen.add(repository);
          yield this.#repository(registry, repository);
        }
      }
    } catch (error) {
      throw LongshoreError.is(error, 'E_SOURCE_DENIED') ? unlisted(error) : error;
    }
  }

  named(source: string): SourceRepository {
    const parsed = parseFrom(source);
    if (parsed.kind === 'pattern') throw new Error(`${source} is a pattern`);
    if (parsed.kind === 'repository') return this.#repository(parsed.registry, parsed.repository);
    const { path, folder } = parsed;
    const layout = this.#layouts.get(path) ?? new LayoutRepository(path, folder);
    this.#layouts.set(path, layout);
    return layout;
  }

  usage(): readonly SourceUsage[] {
    return [...this.#traffic].map(([registry, { usage }]) => ({ registry, ...usage }));
  }

  async close(): Promise<void> {
    this.#end.abort(closed());
    const opened = await Promise.allSettled(this.#registries.values());
    for (const registry of opened) {
      if (registry.status === 'fulfilled') await registry.value.client.close();
    }
  }

  #repository(registry: string, repository: string): SourceRepository {
    return new RegistryRepository(registry, repository, () => this.#connect(registry));
  }

  #connect(registry: string): Promise<SourceRegistry> {
    if (this.#end.signal.aborted) return Promise.reject(closed());
    const known = this.#registries.get(registry);
    if (known !== undefined) return known;
    const made = this.#open(registry);
    this.#registries.set(registry, made);
    // A file of certificates may be there next time.
    made.catch(() => this.#registries.delete(registry));
    return made;
  }

  async #open(registry: string): Promise<SourceRegistry> {
    const surroundings = this.#surroundings;
    const settings = this.#settings.get(registry) ?? {};
    const options = await clientOptionsOf(registry, settings, surroundings, this.#credentials);
    const traffic = this.#trafficOf(registry, settings);
    // Loads the HTTP client: not before it is needed.
    const { RegistryClient } = await import('../registry/registry-client.ts');
    const client = new RegistryClient(registry, options, surroundings, traffic);
    return { client, reader: cachingReader(client, this.#end.signal), headIsUseless: false };
  }

  #trafficOf(registry: string, { requestsInFlight }: SourceRegistrySettings): RegistryTraffic {
    const known = this.#traffic.get(registry);
    if (known !== undefined) return known;
    const options = {
      ...this.#trafficOptions,
      ...(requestsInFlight !== undefined && { requestsInFlight }),
    };
    const traffic = new RegistryTraffic(registry, options, this.#surroundings);
    this.#traffic.set(registry, traffic);
    return traffic;
  }
}

/** As references have it in full. @throws LongshoreError E_OPTION_INVALID */
function hostOf(name: string): string {
  return parseReference(`${name}/any`).registry;
}

function closed(): LongshoreError {
  return new LongshoreError('E_CLOSED', 'the sync that these sources belong to has ended', {});
}

/** Some registries, Docker Hub among them, deny the list to everybody. */
function unlisted(error: LongshoreError<'E_SOURCE_DENIED'>): LongshoreError {
  const message = `${error.message}; if it lists them to nobody, name the repositories one by one`;
  return new LongshoreError('E_SOURCE_DENIED', message, error.details, { cause: error });
}

function tooMany(from: string, registry: string): LongshoreError {
  return new LongshoreError(
    'E_SOURCE_REGISTRY',
    `${registry} has more than ${REPOSITORIES_MAX} repositories for ${from}; name fewer`,
    { source: from, registryHost: registry },
  );
}
