/** A registry of a few hundred lines that misbehaves as it is told. */

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Digest } from '../../src/digest.ts';
import type { Descriptor } from '../../src/image/descriptor.ts';
import { OCI_CONFIG, OCI_IMAGE, OCI_INDEX } from '../../src/image/media-type.ts';

export interface Login {
  readonly username: string;
  readonly password: string;
}

export interface FakeOptions {
  /** How it wants to be asked. Default: not at all. */
  readonly auth?: 'basic' | 'bearer';
  /** Without one, tokens are for everybody. */
  readonly login?: Login;
  /** What a refresh token must be. */
  readonly identityToken?: string;
  readonly tokenLifetimeSeconds?: number;
  /** Sends whoever wants a blob to another host name. */
  readonly redirectsBlobs?: boolean;
  /** Tags of a page. Default: all. */
  readonly tagsPerPage?: number;
  /** Whether there is a referrers API. Default false. */
  readonly hasReferrersApi?: boolean;
  /** Repositories of a page of the catalog. Default: there is no catalog. */
  readonly repositoriesPerPage?: number;
  /** How HEAD is answered: without a digest, or not at all. Default: as it should be. */
  readonly head?: 'without-digest' | 'refused';
}

/** What happens to one download of a blob. */
export interface Download {
  readonly cutAfterBytes?: number;
  readonly stallAfterBytes?: number;
  /** Answers a request for a range with all bytes. */
  readonly ignoresRange?: boolean;
  /** Answers a request for a range with another. */
  readonly shiftsRangeBy?: number;
  readonly withoutLength?: boolean;
  /** Of a blob that it has with another size. */
  readonly extraBytes?: number;
}

export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly host: string;
  readonly authorization: string | undefined;
  readonly range: string | undefined;
  readonly accept: string | undefined;
}

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

export interface FakeRegistry extends AsyncDisposable {
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  /** `localhost:PORT`: where blobs are, if it redirects. */
  readonly storageHost: string;
  readonly requests: readonly SeenRequest[];
  /** What the next downloads of blobs meet, in their order. */
  readonly downloads: Download[];
  /** What the next requests that are not for tokens meet instead of the registry's answer. */
  readonly answers: Answer[];
  /** Open connections. */
  connectionCount(): number;
  /** Connections in all. */
  connectionsMade(): number;
  revokeTokens(): void;
  putBlob(bytes: Uint8Array, mediaType?: string): Descriptor;
  putManifest(
    repository: string,
    reference: string,
    manifest: object | Uint8Array,
    mediaType?: string,
  ): Descriptor;
  /** As registries do that clean up behind a tag that has moved. */
  removeManifest(repository: string, digest: string): void;
  /** An image of a config and these layers. */
  putImage(
    repository: string,
    reference: string,
    layers: readonly Uint8Array[],
    platform?: { readonly os: string; readonly architecture: string },
  ): Descriptor;
}

export function digestOf(bytes: Uint8Array): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

export async function startRegistry(options: FakeOptions = {}): Promise<FakeRegistry> {
  const blobs = new Map<string, Uint8Array>();
  const manifests = new Map<string, { readonly bytes: Uint8Array; readonly mediaType: string }>();
  const tags = new Map<string, string[]>();
  const referrers = new Map<string, object[]>();
  const requests: SeenRequest[] = [];
  const downloads: Download[] = [];
  const answers: Answer[] = [];
  const sockets = new Set<Socket>();
  let tokens = new Set<string>();
  let tokenCount = 0;
  let connectionsMade = 0;

  const server = createServer((request, response) => {
    const { method = '', url = '', headers } = request;
    requests.push({
      method,
      url,
      host: headers.host ?? '',
      authorization: headers.authorization,
      range: headers.range,
      accept: headers.accept,
    });
    const path = new URL(url, 'http://registry').pathname;
    if (path === '/token') {
      void giveToken(request, response);
      return;
    }
    const answer = answers.shift();
    if (answer !== undefined) {
      answer(request, response);
      return;
    }
    if (path.startsWith('/storage/')) {
      sendBlob(path.slice('/storage/'.length), request, response);
      return;
    }
    if (!isAuthorised(request, response)) return;
    serve(path, request, response);
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    connectionsMade += 1;
    socket.on('close', () => sockets.delete(socket));
  });
  const port = await listen(server);
  const host = `127.0.0.1:${port}`;
  const storageHost = `localhost:${port}`;

  function serve(path: string, request: IncomingMessage, response: ServerResponse): void {
    const isCatalog = path === '/v2/_catalog' && options.repositoriesPerPage !== undefined;
    if (isCatalog) return sendCatalog(options.repositoriesPerPage, request, response);
    const [, repository = '', kind, name = ''] =
      /^\/v2\/(.+)\/(manifests|blobs|tags|referrers)\/([^/]+)$/.exec(path) ?? [];
    if (kind === 'manifests') return sendManifest(repository, name, request, response);
    if (kind === 'tags') return sendTags(repository, request, response);
    if (kind === 'referrers' && options.hasReferrersApi === true) {
      const index = { schemaVersion: 2, manifests: referrers.get(name) ?? [] };
      return send(response, 200, JSON.stringify(index), OCI_INDEX);
    }
    if (kind !== 'blobs') return refuse(response, 404, 'NOT_FOUND');
    if (!blobs.has(name)) return refuse(response, 404, 'BLOB_UNKNOWN');
    if (options.redirectsBlobs === true) {
      response.writeHead(307, { location: `http://${storageHost}/storage/${name}?signature=x` });
      response.end();
      return;
    }
    sendBlob(name, request, response);
  }

  function sendManifest(
    repository: string,
    name: string,
    request: IncomingMessage,
    response: ServerResponse,
  ): void {
    const isHead = request.method === 'HEAD';
    if (isHead && options.head === 'refused') return refuse(response, 405, 'UNSUPPORTED');
    const manifest = manifests.get(`${repository}/${name}`);
    if (manifest === undefined) return refuse(response, 404, 'MANIFEST_UNKNOWN');
    const { bytes, mediaType } = manifest;
    const isTold = !isHead || options.head === undefined;
    send(response, 200, bytes, mediaType, {
      ...(isTold && { 'docker-content-digest': digestOf(bytes) }),
    });
  }

  function sendCatalog(pageSize: number, request: IncomingMessage, response: ServerResponse): void {
    const all = [...tags.keys()].toSorted();
    const last = new URL(request.url ?? '', 'http://registry').searchParams.get('last') ?? '';
    const rest = all.filter((name) => name > last);
    const page = rest.slice(0, pageSize);
    const link = `</v2/_catalog?n=${pageSize}&last=${page.at(-1) ?? ''}>; rel="next"`;
    send(response, 200, JSON.stringify({ repositories: page }), 'application/json', {
      ...(rest.length > pageSize && { link }),
    });
  }

  function sendTags(repository: string, request: IncomingMessage, response: ServerResponse): void {
    const all = tags.get(repository);
    if (all === undefined) return refuse(response, 404, 'NAME_UNKNOWN');
    const last = new URL(request.url ?? '', 'http://registry').searchParams.get('last');
    const start = last === null ? 0 : all.indexOf(last) + 1;
    const page = all.slice(start, start + (options.tagsPerPage ?? all.length));
    const hasMore = start + page.length < all.length;
    const link = `</v2/${repository}/tags/list?n=2&last=${page.at(-1) ?? ''}>; rel="next"`;
    send(response, 200, JSON.stringify({ name: repository, tags: page }), 'application/json', {
      ...(hasMore && { link }),
    });
  }

  function sendBlob(digest: string, request: IncomingMessage, response: ServerResponse): void {
    const bytes = blobs.get(digest) ?? new Uint8Array(0);
    const download = downloads.shift() ?? {};
    const [, asked] = /^bytes=([0-9]+)-$/.exec(request.headers.range ?? '') ?? [];
    const isPart = asked !== undefined && download.ignoresRange !== true;
    const start = isPart ? Number(asked) + (download.shiftsRangeBy ?? 0) : 0;
    const total = bytes.length + (download.extraBytes ?? 0);
    response.writeHead(isPart ? 206 : 200, {
      ...(download.withoutLength !== true && { 'content-length': total - start }),
      ...(isPart && { 'content-range': `bytes ${start}-${total - 1}/${total}` }),
    });
    const count = download.cutAfterBytes ?? download.stallAfterBytes;
    if (count === undefined) {
      response.end(bytes.subarray(start));
      return;
    }
    const isStall = download.stallAfterBytes !== undefined;
    // At least the head must leave before the connection breaks.
    response.flushHeaders();
    response.write(bytes.subarray(start, start + count), () => {
      if (!isStall) setImmediate(() => response.socket?.destroy());
    });
  }

  async function giveToken(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const piece of request) body += String(piece);
    const isAllowed =
      request.method === 'POST'
        ? new URLSearchParams(body).get('refresh_token') === options.identityToken
        : options.login === undefined || request.headers.authorization === basicOf(options.login);
    if (!isAllowed) return refuse(response, 401, 'UNAUTHORIZED');
    const token = `token-${(tokenCount += 1)}`;
    tokens.add(token);
    send(
      response,
      200,
      JSON.stringify({ token, expires_in: options.tokenLifetimeSeconds ?? 300 }),
      'application/json',
    );
  }

  function isAuthorised(request: IncomingMessage, response: ServerResponse): boolean {
    const { auth, login } = options;
    const given = request.headers.authorization ?? '';
    if (auth === undefined) return true;
    if (auth === 'basic' && login !== undefined && given === basicOf(login)) return true;
    if (auth === 'bearer' && tokens.has(given.replace('Bearer ', ''))) return true;
    const [, repository] = /^\/v2\/(.+)\/[^/]+\/[^/]+$/.exec(request.url ?? '') ?? [];
    const scope = repository === undefined ? 'registry:catalog:*' : `repository:${repository}:pull`;
    response.setHeader(
      'www-authenticate',
      auth === 'basic'
        ? 'Basic realm="fake, \\"with\\" quotes"'
        : `Bearer realm="http://${host}/token",service="fake",scope="${scope}"`,
    );
    refuse(response, 401, 'UNAUTHORIZED');
    return false;
  }

  const registry: FakeRegistry = {
    host,
    storageHost,
    requests,
    downloads,
    answers,
    connectionCount: () => sockets.size,
    connectionsMade: () => connectionsMade,
    revokeTokens: () => {
      tokens = new Set();
    },
    putBlob: (bytes, mediaType = 'application/vnd.oci.image.layer.v1.tar+gzip') => {
      const digest = digestOf(bytes);
      blobs.set(digest, bytes);
      return { mediaType, digest, sizeBytes: bytes.length };
    },
    putManifest: (repository, reference, manifest, mediaType = OCI_IMAGE) => {
      const bytes =
        manifest instanceof Uint8Array ? manifest : Buffer.from(JSON.stringify(manifest));
      const digest = digestOf(bytes);
      manifests.set(`${repository}/${reference}`, { bytes, mediaType });
      manifests.set(`${repository}/${digest}`, { bytes, mediaType });
      if (!reference.includes(':')) {
        tags.set(repository, [...(tags.get(repository) ?? []), reference]);
      }
      const { subject } = manifest as { subject?: { digest: string } };
      if (subject !== undefined) {
        const entry = { mediaType, digest, size: bytes.length };
        referrers.set(subject.digest, [...(referrers.get(subject.digest) ?? []), entry]);
      }
      return { mediaType, digest, sizeBytes: bytes.length };
    },
    removeManifest: (repository, digest) => {
      manifests.delete(`${repository}/${digest}`);
    },
    putImage: (repository, reference, layers, platform) => {
      const config = Buffer.from(
        JSON.stringify(platform ?? { os: 'linux', architecture: 'amd64' }),
      );
      return registry.putManifest(repository, reference, {
        schemaVersion: 2,
        mediaType: OCI_IMAGE,
        config: wireOf(registry.putBlob(config, OCI_CONFIG)),
        layers: layers.map((layer) => wireOf(registry.putBlob(layer))),
      });
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
  return registry;
}

/** A descriptor as JSON has it. */
export function wireOf({ sizeBytes, ...descriptor }: Descriptor): object {
  return { ...descriptor, size: sizeBytes };
}

export function refuse(
  response: ServerResponse,
  status: number,
  code: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  const document = { errors: [{ code, message: `the fake says ${code}` }] };
  send(response, status, JSON.stringify(document), 'application/json', headers);
}

export function send(
  response: ServerResponse,
  status: number,
  body: string | Uint8Array,
  contentType: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  const bytes = Buffer.from(body);
  response.writeHead(status, {
    'content-type': contentType,
    'content-length': bytes.length,
    ...headers,
  });
  response.end(bytes);
}

function basicOf({ username, password }: Login): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

async function listen(server: Server): Promise<number> {
  server.listen(0);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}
