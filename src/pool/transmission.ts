/**
 * Sends one prepared request body over one of the worker's own connections, its last bytes held back
 * until they are released. Says what happened as data.
 */

import { type Agent, type ClientRequest, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { PART_HEADER_BYTES, writeWiredBytes } from '../layer/part-memory.ts';
import { writePhase } from '../layer/part-phase.ts';
import type { Reply } from '../layer/part-transmitter.ts';
import { agentFor } from './connection.ts';
import { JobError, systemCodeDetail } from './job-failure.ts';
import type { TransmitJob } from './job-protocol.ts';
import { PIECE_MIN_BYTES, WritePiece } from './write-piece.ts';

/** Most bytes handed to the socket at once; smaller pieces cost throughput, larger ones delay others. */
const WRITE_BYTES = 1024 * 1024;
/** A reply to a part is a few hundred bytes; more is not one. */
const REPLY_BYTES_MAX = 256 * 1024;

export class Transmission {
  readonly #job: TransmitJob;
  readonly #body: Buffer;
  readonly #reply: Promise<Reply>;
  readonly #piece: WritePiece;
  #resolve: (reply: Reply) => void = () => undefined;
  #reject: (error: JobError) => void = () => undefined;
  #request: ClientRequest | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Body bytes that may be sent now. */
  #openBytes: number;
  #handedBytes = 0;
  #takenBytes = 0;
  #writing = false;
  #answered = false;
  #connected = false;
  #settled = false;

  constructor(job: TransmitJob) {
    this.#job = job;
    this.#body = Buffer.from(job.shared, PART_HEADER_BYTES, job.bodyLengthBytes);
    this.#openBytes = job.bodyLengthBytes - job.heldLengthBytes;
    this.#reply = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#piece = new WritePiece(WRITE_BYTES);
    writeWiredBytes(job.shared, 0);
    writePhase(job.shared, 'connection');
    this.#watch('connect', job.connection.connectTimeoutMs);
    agentFor(job.head.protocol, job.connection).then(
      (agent) => this.#start(agent),
      (error: unknown) => this.#failFromNetwork(error),
    );
  }

  /** @throws JobError network, timeout, cancelled */
  get reply(): Promise<Reply> {
    return this.#reply;
  }

  /** Lets the held bytes go. */
  release(): void {
    this.#openBytes = this.#job.bodyLengthBytes;
    this.#pump(this.#request);
  }

  cancel(): void {
    this.#fail(new JobError({ kind: 'cancelled', message: 'cancelled' }));
  }

  #start(agent: Agent): void {
    if (this.#settled) return;
    const { head } = this.#job;
    const secure = head.protocol === 'https:';
    const request = (secure ? httpsRequest : httpRequest)({
      hostname: head.hostname.replace(/^\[|\]$/g, ''),
      port: head.port,
      path: head.path,
      method: head.method,
      headers: head.headers,
      agent,
      setHost: false,
    });
    this.#request = request;
    request.on('error', (error) => this.#failFromNetwork(error));
    request.on('response', (response) => this.#read(response));
    request.once('socket', (socket) => {
      const open = (): void => {
        this.#connected = true;
        this.#pump(request);
      };
      if (request.reusedSocket || !socket.connecting) open();
      else socket.once(secure ? 'secureConnect' : 'connect', open);
    });
  }

  /** Hands one piece after the other to the socket, each when the one before was taken. */
  #pump(request: ClientRequest | undefined): void {
    if (request === undefined || !this.#connected || this.#writing || this.#answered) return;
    const start = this.#handedBytes;
    const end = Math.min(start + this.#piece.sizeBytes, this.#openBytes);
    if (end === start) {
      // All that may be sent is sent. A held part waits for its release, not for the registry.
      clearTimeout(this.#timer);
      writePhase(this.#job.shared, 'predecessor');
      if (start === this.#job.bodyLengthBytes) this.#end(request);
      return;
    }
    this.#handedBytes = end;
    this.#writing = true;
    const givenAtMs = performance.now();
    writePhase(this.#job.shared, 'socket');
    this.#watch('stall', this.#job.connection.stallTimeoutMs);
    request.write(this.#body.subarray(start, end), (error) => {
      this.#writing = false;
      if (error !== null && error !== undefined) return;
      this.#takenBytes = end;
      this.#piece.taken(end - start, performance.now() - givenAtMs);
      writeWiredBytes(this.#job.shared, end);
      this.#pump(request);
    });
  }

  #end(request: ClientRequest): void {
    if (request.writableEnded) return;
    request.end();
    writePhase(this.#job.shared, 'reply');
    this.#watch('reply', this.#job.connection.replyTimeoutMs);
  }

  #read(response: IncomingMessage): void {
    this.#answered = true;
    this.#watch('reply', this.#job.connection.replyTimeoutMs);
    const chunks: Buffer[] = [];
    let lengthBytes = 0;
    response.on('data', (chunk: Buffer) => {
      lengthBytes += chunk.length;
      if (lengthBytes > REPLY_BYTES_MAX) {
        this.#fail(new JobError({ kind: 'network', message: 'the reply is too long' }));
        return;
      }
      chunks.push(chunk);
    });
    response.on('error', (error) => this.#failFromNetwork(error));
    response.on('aborted', () => {
      this.#fail(new JobError({ kind: 'network', message: 'the reply was cut short' }));
    });
    response.on('end', () => {
      clearTimeout(this.#timer);
      // Answered before the whole body was sent: the connection is of no use any more.
      if (this.#takenBytes < this.#job.bodyLengthBytes) this.#request?.destroy();
      this.#settled = true;
      this.#resolve({
        statusCode: response.statusCode ?? 0,
        headers: plainHeaders(response),
        body: Buffer.concat(chunks),
      });
    });
  }

  #watch(what: 'connect' | 'stall' | 'reply', waitedMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      const message = {
        connect: `no connection after ${waitedMs} ms`,
        stall: `the connection took less than ${PIECE_MIN_BYTES} bytes in ${waitedMs} ms`,
        reply: `no reply ${waitedMs} ms after the last byte was sent`,
      }[what];
      this.#fail(new JobError({ kind: 'timeout', message, waitedMs }));
    }, waitedMs);
  }

  #failFromNetwork(error: unknown): void {
    const code = systemCodeDetail(error);
    const text = error instanceof Error ? error.message : String(error);
    const message = text === '' ? String(code.systemCode) : text;
    this.#fail(new JobError({ kind: 'network', message, ...code }));
  }

  #fail(error: JobError): void {
    clearTimeout(this.#timer);
    this.#answered = true;
    this.#settled = true;
    this.#reject(error);
    this.#request?.destroy();
  }
}

function plainHeaders(response: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(response.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return headers;
}
