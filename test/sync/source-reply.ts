/** How a source registry answers: documents, pages of names, errors and the bytes of blobs. */

import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { SourceFaultAction } from './source-fault.ts';

const sentBytes = new WeakMap<ServerResponse, number>();

/** Bytes of the body that have been handed to the connection. */
export function sentBytesOf(response: ServerResponse): number {
  return sentBytes.get(response) ?? 0;
}

export function sendText(
  response: ServerResponse,
  method: string,
  body: string | Buffer,
  mediaType: string,
): void {
  const bytes = Buffer.from(body);
  const status = response.statusCode;
  response.writeHead(status, { 'content-type': mediaType, 'content-length': bytes.length });
  if (method === 'HEAD') {
    response.end();
    return;
  }
  tally(response, bytes);
  response.end(bytes);
}

export function refuse(response: ServerResponse, statusCode: number, code: string): void {
  response.statusCode = statusCode;
  const body = JSON.stringify({ errors: [{ code, message: 'said by a test' }] });
  sendText(response, response.req.method ?? '', body, 'application/json');
}

export interface NameList {
  readonly path: string;
  readonly names: readonly string[];
  readonly pageSize: number;
  /** Of the document: `tags` or `repositories`. */
  readonly member: string;
}

/** The page that the parameters ask for, with a link to the next one. */
export function sendNamePage(
  response: ServerResponse,
  { path, names, pageSize, member }: NameList,
  parameters: URLSearchParams,
): void {
  const count = Math.min(Number(parameters.get('n') ?? Number.POSITIVE_INFINITY), pageSize);
  const last = parameters.get('last');
  const start = last === null ? 0 : names.indexOf(last) + 1;
  const page = names.slice(start, start + count);
  const end = page.at(-1);
  if (end !== undefined && start + page.length < names.length) {
    const next = `${path}?n=${count}&last=${encodeURIComponent(end)}`;
    response.setHeader('link', `<${next}>; rel="next"`);
  }
  sendText(response, 'GET', JSON.stringify({ [member]: page }), 'application/json');
}

/** Sends the bytes of a blob, of which the head has been written, as the fault wants it. */
export function sendContent(
  response: ServerResponse,
  pieces: Iterable<Buffer>,
  action: SourceFaultAction | undefined,
  firstByte: number,
): void {
  const content = meeting(response, pieces, action, firstByte);
  // The client may leave at any moment, and a drop is meant to break the pipeline.
  pipeline(Readable.from(content, { objectMode: false, highWaterMark: 1 }), response).catch(
    () => undefined,
  );
}

async function* meeting(
  response: ServerResponse,
  pieces: Iterable<Buffer>,
  action: SourceFaultAction | undefined,
  firstByte: number,
): AsyncGenerator<Buffer, void> {
  let leftBytes = action?.kind === 'drop' ? action.afterBytes : Number.POSITIVE_INFINITY;
  let isBeginning = firstByte === 0;
  for (const piece of pieces) {
    const bytes = Buffer.from(piece.subarray(0, leftBytes));
    leftBytes -= bytes.length;
    if (isBeginning && action?.kind === 'wrong-bytes') bytes[0] = (bytes[0] ?? 0) ^ 0xff;
    if (action?.kind === 'drip') {
      yield* dripping(response, bytes, action.pieceBytes, action.pauseMs);
    } else if (action?.kind === 'hold' && isBeginning) {
      yield* holding(response, bytes, action.afterBytes, action.until);
    } else if (bytes.length > 0) {
      tally(response, bytes);
      yield bytes;
    }
    isBeginning = false;
    if (leftBytes === 0) {
      await leftFor(response);
      throw new Error('dropped, as a test wants it');
    }
  }
}

/** What was sent must get out before the connection breaks. */
async function leftFor(response: ServerResponse): Promise<void> {
  response.flushHeaders();
  while ((response.socket?.writableLength ?? 0) > 0) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function* dripping(
  response: ServerResponse,
  bytes: Buffer,
  pieceBytes: number,
  pauseMs: number,
): AsyncGenerator<Buffer, void> {
  for (let start = 0; start < bytes.length; start += pieceBytes) {
    if (response.destroyed) return;
    const piece = bytes.subarray(start, start + pieceBytes);
    tally(response, piece);
    yield piece;
    await delay(pauseMs);
  }
}

async function* holding(
  response: ServerResponse,
  bytes: Buffer,
  afterBytes: number,
  until: Promise<void>,
): AsyncGenerator<Buffer, void> {
  const pieces = [bytes.subarray(0, afterBytes), bytes.subarray(afterBytes)];
  for (const piece of pieces) {
    tally(response, piece);
    if (piece.length > 0) yield piece;
    await until;
  }
}

function tally(response: ServerResponse, bytes: Buffer): void {
  sentBytes.set(response, sentBytesOf(response) + bytes.length);
}
