/** A registry that serves a corpus over the OCI distribution protocol, read-only, and misbehaves as it is told. */

import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Digest } from '../../src/digest.ts';
import { OCI_INDEX } from '../../src/image/media-type.ts';
import { BearerDoor, type SourceLogin } from './bearer-door.ts';
import { type Corpus, type CorpusManifest, readBlob } from './corpus.ts';
import { type PullBudget, PullCounter } from './pull-budget.ts';
import { referrersIndex, ServedRepository } from './served-repository.ts';
import { refuse, sendContent, sendNamePage, sendText, sentBytesOf } from './source-reply.ts';
import {
  type RequestKind,
  type SourceChange,
  type SourceFault,
  type SourceFaultAction,
  SourceFaultPlan,
} from './source-fault.ts';

export interface CorpusRegistryOptions {
  /** Names of a page, of tags and of the catalog. Default 100. */
  readonly pageSize?: number;
  /** Default 'none'. */
  readonly auth?: 'none' | 'bearer';
  /** What a token costs. Default: nothing. */
  readonly login?: SourceLogin;
  /** How it tells what refers to an image: its API (default), tags that stand in for it, or not at all. */
  readonly referrers?: 'api' | 'tags' | 'none';
  /** Pulls that it grants. Default: any number. */
  readonly budget?: PullBudget;
  readonly faults?: readonly SourceFault[];
  readonly changes?: readonly SourceChange[];
  /** Milliseconds, for the budget. Default `Date.now`. */
  readonly clock?: () => number;
}

/** One request, tokens aside. */
export interface SourceRequest {
  readonly kind: RequestKind | 'other';
  readonly method: string;
  readonly path: string;
  readonly repository: string;
  /** Tag or digest. */
  readonly reference: string;
  readonly range: string | undefined;
  readonly statusCode: number;
  /** Of the body. */
  readonly sentBytes: number;
}

type OpenRequest = { -readonly [Member in keyof SourceRequest]: SourceRequest[Member] };

/** Requests that are remembered; beyond them it stops, so that no test believes a cut log. */
const REQUESTS_MAX = 500_000;
const KEEP_ALIVE_MS = 60_000;
const ROUTE = /^\/v2\/(.+)\/(manifests|blobs|tags|referrers)\/([^/]+)$/;
const KINDS: Readonly<Record<string, RequestKind>> = {
  manifests: 'manifest',
  blobs: 'blob',
  tags: 'tags',
  referrers: 'referrers',
};

export class CorpusRegistry implements AsyncDisposable {
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  readonly requests: readonly SourceRequest[];
  readonly #corpus: Corpus;
  readonly #options: CorpusRegistryOptions;
  readonly #log: OpenRequest[] = [];
  readonly #server = createServer((request, response) => this.#answer(request, response));
  readonly #repositories: ReadonlyMap<string, ServedRepository>;
  readonly #faults = new SourceFaultPlan();
  readonly #changes: readonly SourceChange[];
  readonly #door: BearerDoor;
  readonly #budget: PullCounter | undefined;
  #manifestRequestCount = 0;
  #connectionsMade = 0;

  private constructor(corpus: Corpus, options: CorpusRegistryOptions) {
    this.host = '';
    this.requests = this.#log;
    this.#corpus = corpus;
    this.#options = options;
    const standIn = options.referrers === 'tags';
    this.#repositories = new Map(
      corpus.repositories.map((one) => [one.name, new ServedRepository(one, standIn)]),
    );
    this.#faults.add(options.faults ?? []);
    this.#changes = options.changes ?? [];
    this.#door = new BearerDoor(options.login);
    const { budget, clock = Date.now } = options;
    this.#budget = budget && new PullCounter(budget, clock);
    this.#server.keepAliveTimeout = KEEP_ALIVE_MS;
    this.#server.on('connection', () => {
      this.#connectionsMade += 1;
    });
  }

  static async start(corpus: Corpus, options: CorpusRegistryOptions = {}): Promise<CorpusRegistry> {
    const registry = new CorpusRegistry(corpus, options);
    registry.#server.listen(0, '127.0.0.1');
    await once(registry.#server, 'listening');
    const { port } = registry.#server.address() as AddressInfo;
    return Object.assign(registry, { host: `127.0.0.1:${port}` });
  }

  get #pageSize(): number {
    return this.#options.pageSize ?? 100;
  }

  get connectionsMade(): number {
    return this.#connectionsMade;
  }

  get tokenCount(): number {
    return this.#door.tokenCount;
  }

  addFaults(faults: readonly SourceFault[]): void {
    this.#faults.add(faults);
  }

  clearFaults(): void {
    this.#faults.clear();
  }

  clearRequests(): void {
    this.#log.length = 0;
  }

  /** Changes what the repositories hold, from now on. */
  change({ repository, change }: Omit<SourceChange, 'beforeManifestRequest'>): void {
    const served = this.#repositories.get(repository);
    if (served === undefined) throw new Error(`there is no repository ${repository}`);
    if (change.kind === 'move-tag') served.moveTag(change.tag, change.digest as Digest);
    else served.removeManifest(change.digest as Digest);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const { method = '', url = '' } = request;
    const { pathname, searchParams } = new URL(url, 'http://registry');
    if (pathname === '/token') {
      const token = this.#door.give(request);
      if (token === undefined) return refuse(response, 401, 'UNAUTHORIZED');
      return sendText(response, method, token, 'application/json');
    }
    const [, repository = '', noun = '', reference = ''] = ROUTE.exec(pathname) ?? [];
    const kind = pathname === '/v2/_catalog' ? 'catalog' : (KINDS[noun] ?? 'other');
    this.#record(request, response, { kind, method, path: url, repository, reference });
    if (!this.#isAdmitted(request, response, kind, repository)) return;
    if (method !== 'GET' && method !== 'HEAD') return refuse(response, 405, 'UNSUPPORTED');
    if (kind === 'other') {
      if (pathname === '/v2/') return sendText(response, method, '{}', 'application/json');
      return refuse(response, 404, 'NOT_FOUND');
    }
    if (kind === 'catalog') {
      const names = [...this.#repositories.keys()].toSorted();
      const list = { path: pathname, names, pageSize: this.#pageSize, member: 'repositories' };
      return sendNamePage(response, list, searchParams);
    }
    if (kind === 'manifest') this.#makeChanges();
    const action = this.#faults.actionFor({ on: kind, method, repository, reference });
    if (action?.kind === 'refuse') {
      for (const [name, value] of Object.entries(action.headers ?? {})) {
        response.setHeader(name, value);
      }
      return refuse(response, action.statusCode, action.code ?? 'UNKNOWN');
    }
    const served = this.#repositories.get(repository);
    if (served === undefined) return refuse(response, 404, 'NAME_UNKNOWN');
    if (kind === 'tags') {
      const names = served.tagNames();
      const list = { path: pathname, names, pageSize: this.#pageSize, member: 'tags' };
      return sendNamePage(response, list, searchParams);
    }
    if (kind === 'referrers') return this.#sendReferrers(response, method, served, reference);
    if (kind === 'manifest') return this.#sendManifest(request, response, served, reference);
    this.#sendBlob(request, response, served, reference as Digest, action);
  }

  #record(
    request: IncomingMessage,
    response: ServerResponse,
    start: Omit<SourceRequest, 'range' | 'statusCode' | 'sentBytes'>,
  ): void {
    if (this.#log.length >= REQUESTS_MAX) throw new Error('the request log is full');
    const entry: OpenRequest = {
      ...start,
      range: request.headers.range,
      statusCode: 0,
      sentBytes: 0,
    };
    this.#log.push(entry);
    response.once('close', () => {
      entry.statusCode = response.statusCode;
      entry.sentBytes = sentBytesOf(response);
    });
  }

  #isAdmitted(
    request: IncomingMessage,
    response: ServerResponse,
    kind: RequestKind | 'other',
    repository: string,
  ): boolean {
    if (this.#options.auth !== 'bearer') return true;
    const scope = kind === 'catalog' ? 'registry:catalog:*' : `repository:${repository}:pull`;
    if (this.#door.admits(request, scope)) return true;
    const challenge = `Bearer realm="http://${this.host}/token",service="corpus",scope="${scope}"`;
    response.setHeader('www-authenticate', challenge);
    refuse(response, 401, 'UNAUTHORIZED');
    return false;
  }

  #makeChanges(): void {
    this.#manifestRequestCount += 1;
    const due = this.#changes.filter(
      ({ beforeManifestRequest }) => beforeManifestRequest === this.#manifestRequestCount,
    );
    for (const change of due) this.change(change);
  }

  #sendReferrers(
    response: ServerResponse,
    method: string,
    served: ServedRepository,
    digest: string,
  ): void {
    if ((this.#options.referrers ?? 'api') !== 'api') return refuse(response, 404, 'NOT_FOUND');
    const index = referrersIndex(served.referrersOf(digest as Digest));
    sendText(response, method, index, OCI_INDEX);
  }

  #sendManifest(
    { method = '' }: IncomingMessage,
    response: ServerResponse,
    served: ServedRepository,
    reference: string,
  ): void {
    if (this.#budget !== undefined) {
      const waitSeconds = method === 'GET' ? this.#budget.take() : undefined;
      for (const [name, value] of Object.entries(this.#budget.headers())) {
        response.setHeader(name, value);
      }
      if (waitSeconds !== undefined) {
        response.setHeader('retry-after', waitSeconds);
        return refuse(response, 429, 'TOOMANYREQUESTS');
      }
    }
    const manifest: CorpusManifest | undefined = served.find(reference);
    if (manifest === undefined) return refuse(response, 404, 'MANIFEST_UNKNOWN');
    response.setHeader('docker-content-digest', manifest.digest);
    sendText(response, method, manifest.bytes, manifest.mediaType);
  }

  #sendBlob(
    request: IncomingMessage,
    response: ServerResponse,
    served: ServedRepository,
    digest: Digest,
    action: SourceFaultAction | undefined,
  ): void {
    const blob = served.hasBlob(digest) ? readBlob(this.#corpus, digest) : undefined;
    if (blob === undefined) return refuse(response, 404, 'BLOB_UNKNOWN');
    const [, asked] = /^bytes=([0-9]+)-$/.exec(request.headers.range ?? '') ?? [];
    const firstByte = Number(asked ?? 0);
    const { sizeBytes } = blob;
    if (firstByte > 0 && firstByte >= sizeBytes) return refuse(response, 416, 'RANGE_INVALID');
    const { pieces } = readBlob(this.#corpus, digest, firstByte) ?? blob;
    response.writeHead(asked === undefined ? 200 : 206, {
      'content-type': 'application/octet-stream',
      'content-length': sizeBytes - firstByte,
      'docker-content-digest': digest,
      'accept-ranges': 'bytes',
      ...(asked !== undefined && {
        'content-range': `bytes ${firstByte}-${sizeBytes - 1}/${sizeBytes}`,
      }),
    });
    if (request.method === 'HEAD') response.end();
    else sendContent(response, pieces, action, firstByte);
  }
}
