import { randomBytes } from 'node:crypto';
import { request } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { Readable } from 'node:stream';
import type { Emulator } from '../../src/emulator/index.ts';
import { REPOSITORY, digestOf, manifestOf } from './fixture.ts';

export const IMAGE_TYPE = 'application/vnd.oci.image.manifest.v1+json';
export const INDEX_TYPE = 'application/vnd.oci.image.index.v1+json';

export interface RegistryReply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** The body as JSON; empty for a body that is none. */
  readonly json: Readonly<Record<string, unknown>>;
  /** Code of the first error. */
  readonly code: string | undefined;
  readonly message: string | undefined;
}

export interface RegistryRequest {
  readonly headers?: Readonly<Record<string, string>>;
  /** Bytes go with their length, pieces as chunks of unknown total. */
  readonly body?: Uint8Array | string | Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
  /** Default: those of the emulator. */
  readonly authorization?: string | null;
}

/** Speaks `/v2/` without any cleverness: follows nothing, repeats nothing, hides nothing. */
export class RegistryClient {
  readonly emulator: Emulator;

  constructor(emulator: Emulator) {
    this.emulator = emulator;
  }

  async send(
    method: string,
    target: string,
    options: RegistryRequest = {},
  ): Promise<RegistryReply> {
    const { authorization = basic(this.emulator), body, headers } = options;
    const isWhole = typeof body === 'string' || body instanceof Uint8Array;
    const { hostname, port } = new URL(this.emulator.endpoint);
    return new Promise((resolve, reject) => {
      const outgoing = request(
        {
          method,
          host: hostname,
          port,
          path: target.startsWith('http') ? new URL(target).pathname : target,
          agent: false,
          headers: {
            ...(authorization === null ? {} : { authorization }),
            ...(isWhole ? { 'content-length': String(Buffer.byteLength(body)) } : {}),
            ...headers,
          },
        },
        (response) => {
          buffer(response).then((bytes) => {
            const json = parsed(bytes);
            const error = (json['errors'] as { code: string; message: string }[] | undefined)?.[0];
            resolve({
              status: response.statusCode ?? 0,
              headers: response.headers,
              body: bytes,
              json,
              code: error?.code,
              message: error?.message,
            });
          }, reject);
        },
      );
      outgoing.on('error', reject);
      if (body === undefined || isWhole) outgoing.end(body);
      else Readable.from(body, { objectMode: true }).pipe(outgoing);
    });
  }

  /** Starts an upload and gives its path. */
  async startUpload(repository: string = REPOSITORY): Promise<string> {
    const { headers } = await this.send('POST', `/v2/${repository}/blobs/uploads/`);
    return new URL(headers.location ?? '').pathname;
  }

  /** Pushes a blob in one PUT. */
  async pushBlob(
    bytes: Uint8Array = randomBytes(64),
    repository: string = REPOSITORY,
  ): Promise<`sha256:${string}`> {
    const digest = digestOf(bytes);
    const upload = await this.startUpload(repository);
    await this.send('PUT', `${upload}?digest=${digest}`, { body: bytes });
    return digest;
  }

  putManifest(
    reference: string,
    manifest: string,
    type: string = IMAGE_TYPE,
    repository: string = REPOSITORY,
  ): Promise<RegistryReply> {
    return this.send('PUT', `/v2/${repository}/manifests/${reference}`, {
      body: manifest,
      headers: { 'content-type': type },
    });
  }

  /** Pushes an image of random bytes; gives its manifest. */
  async pushImage(
    reference?: string,
    members: Readonly<Record<string, unknown>> = {},
    repository: string = REPOSITORY,
  ): Promise<string> {
    const config = await this.pushBlob(undefined, repository);
    const layer = await this.pushBlob(undefined, repository);
    const plain = JSON.parse(manifestOf(config, [layer])) as object;
    const manifest = JSON.stringify({ ...plain, ...members }, undefined, 2);
    await this.putManifest(reference ?? digestOf(manifest), manifest, IMAGE_TYPE, repository);
    return manifest;
  }
}

/** Lets everything else run until `condition` holds. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

export function basic(emulator: Emulator): string {
  const { password, username } = emulator.dockerCredentials();
  return basicOf(username, password);
}

export function basicOf(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

function parsed(bytes: Buffer): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(bytes.toString()) as Record<string, unknown>;
  } catch {
    return {};
  }
}
