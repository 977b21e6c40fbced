/** Wires the emulator's parts and gives it a face. */

import { createHmac } from 'node:crypto';
import { isDigest } from '../digest.ts';
import type { Digest } from '../digest.ts';
import { AuthorizationTokens, DOCKER_USERNAME } from './authorization-token.ts';
import { DirectoryStore } from './directory-store.ts';
import { DiscardStore } from './discard-store.ts';
import { EcrService } from './ecr-service.ts';
import { resolveEmulatorOptions } from './emulator-options.ts';
import type { EmulatorOptions, ResolvedEmulatorOptions } from './emulator-options.ts';
import { FaultPlan } from './fault-plan.ts';
import type { FaultRule } from './fault-rule.ts';
import { HttpServer } from './http-server.ts';
import { RequestJournal } from './journal.ts';
import { LayerDownload } from './layer-download.ts';
import { MemoryStore } from './memory-store.ts';
import { NetworkModel } from './network-model.ts';
import { PendingWaits } from './pending-waits.ts';
import { createRandomSource } from './random-source.ts';
import { RegistryState } from './registry-state.ts';
import { createRequestHandler } from './request-handler.ts';
import type { EmulatorRequestHandler } from './request-handler.ts';
import type { EmulatorCredentials } from './signature.ts';
import type { Store } from './store.ts';
import type { PartRange } from './upload-state.ts';

/** An open upload as the emulator sees it. */
export interface UploadSnapshot {
  readonly uploadId: string;
  readonly repositoryName: string;
  /** Bytes accepted; the next part must start here. */
  readonly nextByte: number;
  readonly parts: readonly PartRange[];
}

/** A layer of a repository. */
export interface LayerSnapshot {
  readonly digest: Digest;
  readonly sizeBytes: number;
}

/** A running emulator. `await using` or `stop()` ends it. */
export interface Emulator extends AsyncDisposable {
  /** For `endpoint` of an SDK client or `--endpoint-url`, for example `http://127.0.0.1:41235`. */
  readonly endpoint: string;
  /** `host:port`, what stands before the repository in an image reference. */
  readonly registryHost: string;
  readonly region: string;
  readonly registryId: string;
  readonly credentials: EmulatorCredentials;
  /** Drives an SDK client without a socket. The network model's pace does not apply to it. */
  readonly requestHandler: EmulatorRequestHandler;
  readonly journal: RequestJournal;
  /**
   * What `docker login`, skopeo and the like need at `registryHost`. The password is fresh and good
   * for 12 hours of the emulator's clock, like one from `GetAuthorizationToken`.
   */
  dockerCredentials(): { readonly username: string; readonly password: string };
  /** Variables that point the AWS SDKs and the AWS CLI at this emulator. */
  environment(): Record<string, string>;
  /** Adds rules behind those in force. @throws RangeError for a rule that cannot work. */
  addFaults(rules: readonly FaultRule[]): void;
  clearFaults(): void;
  /** Open uploads, oldest first. */
  uploads(repositoryName?: string): readonly UploadSnapshot[];
  /** Completed layers of a repository; none for one that does not exist. */
  layers(repositoryName: string): readonly LayerSnapshot[];
  /** A layer's bytes. Rejects if the repository has no such layer or content is discarded. */
  readLayer(repositoryName: string, digest: string): Promise<Uint8Array>;
  /** Ends all connections and waits; nothing keeps the process alive afterwards. */
  stop(): Promise<void>;
}

/**
 * Starts a local ECR.
 *
 * @param options - See {@link EmulatorOptions}; everything has a default.
 * @returns The running emulator.
 * @throws RangeError for an option out of its range; a system error if it cannot listen or the data
 * directory cannot be read.
 */
export async function startEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
  const resolved = resolveEmulatorOptions(options);
  const registry = new RegistryState(
    resolved.registryId,
    createStore(resolved),
    resolved.uploadExpiryMs,
  );
  await registry.load();
  const random = createRandomSource(resolved.seed);
  const faults = new FaultPlan(random);
  faults.add(resolved.faults);
  const waits = new PendingWaits();
  const downloads = new LayerDownload(registry, secretOf(resolved, 'download'), resolved.clock);
  const origin = { ofDownloads: '' };
  const service = new EcrService({
    options: resolved,
    registry,
    journal: new RequestJournal(),
    faults,
    network: new NetworkModel(resolved.network, random, performance.now()),
    waits,
    tokens: new AuthorizationTokens(secretOf(resolved, 'docker'), resolved.registryId),
    downloadUrl: (repositoryName, digest) =>
      downloads.urlOf(origin.ofDownloads, repositoryName, digest),
  });
  const server = new HttpServer(service, downloads);
  const port = await server.listen(resolved.host, resolved.port);
  const scheme = resolved.tls === undefined ? 'http' : 'https';
  service.registryHost = `${reachableHost(resolved.host)}:${port}`;
  origin.ofDownloads = `${scheme}://${otherHost(resolved.host)}:${port}`;
  return createFace(service, server, `${scheme}://${service.registryHost}`);
}

function createFace(service: EcrService, server: HttpServer, endpoint: string): Emulator {
  const { options, registry, faults } = service;
  const { credentials, region, registryId } = options;
  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    stopping ??= (async () => {
      service.waits.stop();
      await server.stop();
    })();
    return stopping;
  };
  return {
    endpoint,
    registryHost: service.registryHost,
    region,
    registryId,
    credentials,
    requestHandler: createRequestHandler(service),
    journal: service.journal,
    dockerCredentials: () => ({
      username: DOCKER_USERNAME,
      password: service.tokens.issue(service.now()).password,
    }),
    environment: () => environmentOf(endpoint, region, credentials),
    addFaults: (rules) => faults.add(rules),
    clearFaults: () => faults.clear(),
    uploads: (repositoryName) =>
      [...registry.uploads.values()]
        .filter(
          ({ identity }) =>
            repositoryName === undefined || identity.repositoryName === repositoryName,
        )
        .map(({ identity, nextByte, parts }) => ({
          uploadId: identity.uploadId,
          repositoryName: identity.repositoryName,
          nextByte,
          parts: [...parts],
        })),
    layers: (repositoryName) =>
      [...(registry.repositories.get(repositoryName)?.layers.values() ?? [])].map(
        ({ digest, sizeBytes }) => ({ digest, sizeBytes }),
      ),
    readLayer: (repositoryName, digest) => readLayer(registry, repositoryName, digest),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

function secretOf({ credentials }: ResolvedEmulatorOptions, purpose: string): string {
  return createHmac('sha256', credentials.secretAccessKey).update(purpose).digest('hex');
}

function createStore({ dataDirectory, discard }: ResolvedEmulatorOptions): Store {
  if (discard) return new DiscardStore();
  return dataDirectory === undefined ? new MemoryStore() : new DirectoryStore(dataDirectory);
}

async function readLayer(
  registry: RegistryState,
  repositoryName: string,
  digest: string,
): Promise<Uint8Array> {
  const repository = registry.repositories.get(repositoryName);
  const layer = isDigest(digest) ? repository?.layers.get(digest) : undefined;
  if (layer === undefined) throw new Error(`No layer ${digest} in ${repositoryName}`);
  const bytes = new Uint8Array(layer.sizeBytes);
  let position = 0;
  for await (const chunk of registry.store.readBlob(layer.digest, 0, layer.sizeBytes)) {
    bytes.set(chunk, position);
    position += chunk.length;
  }
  return bytes;
}

function environmentOf(
  endpoint: string,
  region: string,
  credentials: EmulatorCredentials,
): Record<string, string> {
  const { accessKeyId, secretAccessKey, sessionToken } = credentials;
  return {
    AWS_ENDPOINT_URL_ECR: endpoint,
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    ...(sessionToken === undefined ? {} : { AWS_SESSION_TOKEN: sessionToken }),
  };
}

// A wildcard address is not one that can be dialled.
function reachableHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
}

// ECR's download URLs lead to another host, so that clients cannot send their credentials along.
function otherHost(host: string): string {
  const reachable = reachableHost(host);
  if (reachable === 'localhost') return '127.0.0.1';
  return reachable === '127.0.0.1' || reachable === '[::1]' ? 'localhost' : reachable;
}
