/** Replies of the distribution API. */

import type { GarbageFault } from '../operation-call.ts';
import { SEND } from '../reply.ts';
import type { Reply } from '../reply.ts';
import type { RegistryFailure } from './registry-failure.ts';

/** A reply without the headers that every one has. */
export interface RegistryAnswer {
  readonly statusCode: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export function registryReply(answer: RegistryAnswer, nowMs: number): Reply {
  return {
    statusCode: answer.statusCode,
    headers: {
      'docker-distribution-api-version': 'registry/2.0',
      date: new Date(nowMs).toUTCString(),
      ...answer.headers,
    },
    body: answer.body ?? '',
    delivery: SEND,
  };
}

export function failureReply(failure: RegistryFailure, nowMs: number): Reply {
  const reply = registryReply(
    {
      statusCode: failure.statusCode,
      headers: { 'content-type': 'application/json; charset=utf-8', ...failure.headers },
      body: failure.toJson(),
    },
    nowMs,
  );
  return { ...reply, exception: failure.exception ?? failure.code };
}

/** Spoils a reply as its counterpart of the JSON API would be spoiled. */
export function spoiledRegistryReply(reply: Reply, form: GarbageFault['form']): Reply {
  switch (form) {
    case 'not-json':
      return withBody(reply, 'this is not JSON');
    case 'cut-json':
      return withBody(reply, reply.body.slice(0, Math.floor(reply.body.length / 2)));
    case 'wrong-last-byte':
      return withHeader(reply, 'range', (range) =>
        range.replace(/\d+$/, (last) => String(Math.max(0, Number(last) - 1))),
      );
    case 'wrong-layer-digest':
      return withHeader(reply, 'docker-content-digest', () => `sha256:${'0'.repeat(64)}`);
    case 'html':
      return reply;
  }
}

function withBody(reply: Reply, body: string): Reply {
  return { ...reply, body };
}

function withHeader(reply: Reply, name: string, change: (value: string) => string): Reply {
  const value = reply.headers[name];
  if (value === undefined) return reply;
  return { ...reply, headers: { ...reply.headers, [name]: change(value) } };
}
