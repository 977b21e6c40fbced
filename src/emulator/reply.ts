/** An answer and how it leaves. */

import { randomUUID } from 'node:crypto';
import type { EcrException } from './exception.ts';
import type { BodyFault } from './fault-plan.ts';

/** `drop` breaks the connection instead, `stall` keeps it open and silent, `drip` trickles. */
export type Delivery =
  | { readonly kind: 'send' | 'drop' | 'stall' }
  | { readonly kind: 'drip'; readonly bytesPerSecond: number };

export interface Reply {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly delivery: Delivery;
  /** Name of the exception, for the journal. */
  readonly exception?: string;
}

export const SEND: Delivery = { kind: 'send' };

export function successReply(output: unknown, nowMs: number): Reply {
  return {
    statusCode: 200,
    headers: replyHeaders(nowMs),
    body: JSON.stringify(output),
    delivery: SEND,
  };
}

export function exceptionReply(exception: EcrException, nowMs: number): Reply {
  return {
    statusCode: exception.httpStatus,
    headers: { ...replyHeaders(nowMs), ...exception.headers },
    body: exception.toJson(),
    delivery: SEND,
    exception: exception.name,
  };
}

/** A reply that never leaves. */
export function silentReply(kind: 'drop' | 'stall', nowMs: number): Reply {
  return { statusCode: 200, headers: replyHeaders(nowMs), body: '', delivery: { kind } };
}

/** What a proxy in front of the service answers when the service is away. */
export function htmlReply(statusCode: number, nowMs: number): Reply {
  return {
    statusCode,
    headers: { ...replyHeaders(nowMs), 'content-type': 'text/html' },
    body: `<html><head><title>${statusCode}</title></head><body>${statusCode}</body></html>\n`,
    delivery: SEND,
  };
}

/** Spoils the reply of an operation that has taken place. */
export function spoiledReply(
  reply: Reply,
  form: Extract<BodyFault, { kind: 'garbage' }>['form'],
): Reply {
  switch (form) {
    case 'not-json':
      return { ...reply, body: 'this is not JSON' };
    case 'cut-json':
      return { ...reply, body: reply.body.slice(0, Math.floor(reply.body.length / 2)) };
    case 'wrong-last-byte':
      return withMember(reply, 'lastByteReceived', (value) => Math.max(0, Number(value) - 1));
    case 'wrong-layer-digest':
      return withMember(reply, 'layerDigest', () => `sha256:${'0'.repeat(64)}`);
    case 'html':
      return reply;
  }
}

function withMember(reply: Reply, member: string, change: (value: unknown) => unknown): Reply {
  const output = JSON.parse(reply.body) as Record<string, unknown>;
  if (output[member] === undefined) return reply;
  return { ...reply, body: JSON.stringify({ ...output, [member]: change(output[member]) }) };
}

function replyHeaders(nowMs: number): Record<string, string> {
  return {
    'content-type': 'application/x-amz-json-1.1',
    'x-amzn-requestid': randomUUID(),
    date: new Date(nowMs).toUTCString(),
  };
}
