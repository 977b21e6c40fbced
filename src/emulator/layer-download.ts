/** The other host: where download URLs lead. In ECR that is S3, so it behaves a little like it. */

import { createHmac, timingSafeEqual } from 'node:crypto';
import { isDigest } from '../digest.ts';
import type { Digest } from '../digest.ts';
import { DOWNLOAD_URL_EXPIRY_MS } from './emulator-limits.ts';
import type { RegistryState } from './registry-state.ts';

export interface DownloadRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface DownloadReply {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: AsyncIterable<Uint8Array> | string;
}

const ROUTE = '/layers/';
const RANGE = /^bytes=(\d*)-(\d*)$/;

/** Whether a request line belongs here. */
export function isDownload(target: string): boolean {
  return target.startsWith(ROUTE);
}

export class LayerDownload {
  readonly #registry: RegistryState;
  readonly #secret: string;
  readonly #now: () => number;

  constructor(registry: RegistryState, secret: string, now: () => number) {
    this.#registry = registry;
    this.#secret = secret;
    this.#now = now;
  }

  /** A URL below `origin` that serves the layer for an hour, to anyone. */
  urlOf(origin: string, repositoryName: string, digest: Digest): string {
    const path = `${ROUTE}${repositoryName}/${digest}`;
    const expiresAtMs = String(this.#now() + DOWNLOAD_URL_EXPIRY_MS);
    const query = new URLSearchParams({
      'X-Amz-Expires-At': expiresAtMs,
      'X-Amz-Signature': this.#sign(path, expiresAtMs),
    });
    return `${origin}${path}?${query.toString()}`;
  }

  handle({ method, target, headers }: DownloadRequest): DownloadReply {
    if (method !== 'GET' && method !== 'HEAD') return failure(405, 'MethodNotAllowed');
    // S3 refuses two ways of signing at once; registries' clients that keep the header fail there.
    if (headers['authorization'] !== undefined) return failure(400, 'InvalidArgument');
    const mark = target.indexOf('?');
    const path = target.slice(0, mark === -1 ? target.length : mark);
    const query = new URLSearchParams(mark === -1 ? '' : target.slice(mark + 1));
    const expiresAtMs = query.get('X-Amz-Expires-At') ?? '';
    const signature = query.get('X-Amz-Signature') ?? '';
    if (!isSame(signature, this.#sign(path, expiresAtMs))) {
      return failure(403, 'SignatureDoesNotMatch');
    }
    if (!(Number(expiresAtMs) > this.#now())) return failure(403, 'AccessDenied');
    const slash = path.lastIndexOf('/');
    const digest = path.slice(slash + 1);
    const repository = this.#registry.repositories.get(path.slice(ROUTE.length, slash));
    const layer = isDigest(digest) ? repository?.layers.get(digest) : undefined;
    if (layer === undefined) return failure(404, 'NoSuchKey');
    return this.#content(layer.digest, layer.sizeBytes, method, headers['range']);
  }

  #content(
    digest: Digest,
    sizeBytes: number,
    method: string,
    rangeHeader: string | undefined,
  ): DownloadReply {
    const range = rangeOf(rangeHeader, sizeBytes);
    if (range === 'unsatisfiable') {
      const reply = failure(416, 'InvalidRange');
      return { ...reply, headers: { ...reply.headers, 'content-range': `bytes */${sizeBytes}` } };
    }
    const [firstByte, endByte] = range ?? [0, sizeBytes];
    const partial =
      range === undefined
        ? {}
        : { 'content-range': `bytes ${firstByte}-${endByte - 1}/${sizeBytes}` };
    return {
      statusCode: range === undefined ? 200 : 206,
      headers: {
        'content-type': 'application/octet-stream',
        'content-length': String(endByte - firstByte),
        'accept-ranges': 'bytes',
        etag: `"${digest}"`,
        ...partial,
      },
      body: method === 'HEAD' ? '' : this.#registry.store.readBlob(digest, firstByte, endByte),
    };
  }

  #sign(path: string, expiresAtMs: string): string {
    return createHmac('sha256', this.#secret).update(`${path}\n${expiresAtMs}`).digest('hex');
  }
}

// One range as `[firstByte, endByte)`; anything but one sound byte range is ignored, as S3 does.
function rangeOf(
  header: string | undefined,
  sizeBytes: number,
): readonly [number, number] | 'unsatisfiable' | undefined {
  const [matched, first = '', last = ''] = RANGE.exec(header ?? '') ?? [];
  if (matched === undefined || (first === '' && last === '')) return undefined;
  if (first === '') {
    const suffixSizeBytes = Math.min(sizeBytes, Number(last));
    return suffixSizeBytes === 0 ? 'unsatisfiable' : [sizeBytes - suffixSizeBytes, sizeBytes];
  }
  const firstByte = Number(first);
  const endByte = last === '' ? sizeBytes : Math.min(sizeBytes, Number(last) + 1);
  if (last !== '' && Number(last) < firstByte) return undefined;
  return firstByte >= sizeBytes ? 'unsatisfiable' : [firstByte, endByte];
}

function failure(statusCode: number, code: string): DownloadReply {
  const body = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code></Error>`;
  return {
    statusCode,
    headers: {
      'content-type': 'application/xml',
      'content-length': String(Buffer.byteLength(body)),
    },
    body,
  };
}

function isSame(left: string, right: string): boolean {
  const a = Buffer.from(left);
  const b = Buffer.from(right);
  return a.length === b.length && timingSafeEqual(a, b);
}
