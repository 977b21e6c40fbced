/** Reads what a URL gives, for its digest only: no byte is kept, none crosses threads. */

import {
  type Agent,
  type ClientRequest,
  type IncomingMessage,
  request as httpRequest,
} from 'node:http';
import { request as httpsRequest } from 'node:https';
import { agentFor } from './connection.ts';
import { type Hasher, startHasher } from './hasher.ts';
import { JobError, systemCodeDetail } from './job-failure.ts';
import type { DownloadJob, JobValue } from './job-protocol.ts';

export class Download {
  readonly #job: DownloadJob;
  #request: ClientRequest | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isCancelled = false;
  /** Nothing that arrives counts any more, least of all for the hasher, which others use by then. */
  #hasEnded = false;
  #fail: (error: JobError) => void = () => undefined;

  constructor(job: DownloadJob) {
    this.#job = job;
  }

  /** @throws JobError network, timeout, cancelled */
  async run(): Promise<JobValue['download']> {
    const { url, connection, hasher: kind } = this.#job;
    const { protocol } = new URL(url);
    const hasher = await startHasher(kind);
    try {
      const agent = await agentFor(protocol, connection);
      if (this.#isCancelled) throw cancelled();
      return await new Promise((resolve, reject) => {
        this.#fail = reject;
        this.#start(protocol, agent, (response) => this.#read(response, hasher, resolve));
      });
    } catch (error) {
      throw error instanceof JobError ? error : networkFailure(error);
    } finally {
      this.#hasEnded = true;
      clearTimeout(this.#timer);
      this.#request?.destroy();
      hasher.release();
    }
  }

  cancel(): void {
    this.#isCancelled = true;
    this.#fail(cancelled());
  }

  #start(protocol: string, agent: Agent, onResponse: (response: IncomingMessage) => void): void {
    const { url, connection } = this.#job;
    const isSecure = protocol === 'https:';
    const request = (isSecure ? httpsRequest : httpRequest)(url, { agent });
    this.#request = request;
    this.#watch('connection', connection.connectTimeoutMs);
    request.on('error', (error) => this.#fail(networkFailure(error)));
    request.on('response', onResponse);
    request.once('socket', (socket) => {
      const connected = (): void => this.#watch('reply', connection.replyTimeoutMs);
      if (request.reusedSocket || !socket.connecting) connected();
      else socket.once(isSecure ? 'secureConnect' : 'connect', connected);
    });
    request.end();
  }

  #read(
    response: IncomingMessage,
    hasher: Hasher,
    resolve: (value: JobValue['download']) => void,
  ): void {
    const { statusCode: httpStatus = 0 } = response;
    if (httpStatus !== 200) {
      const message = `HTTP status ${httpStatus}`;
      this.#fail(new JobError({ kind: 'network', message, httpStatus }));
      return;
    }
    let sizeBytes = 0;
    this.#watch('byte', this.#job.connection.stallTimeoutMs);
    const end = (): void => {
      if (!this.#hasEnded) resolve({ sizeBytes, sha256: hasher.digest() });
      this.#hasEnded = true;
    };
    response.on('data', (chunk: Buffer) => {
      if (this.#hasEnded) return;
      this.#timer?.refresh();
      hasher.update(chunk);
      sizeBytes += chunk.length;
      // Longer than it should be: how much longer does not matter.
      if (sizeBytes > this.#job.sizeBytes) end();
    });
    response.on('error', (error) => this.#fail(networkFailure(error)));
    response.on('aborted', () => {
      this.#fail(new JobError({ kind: 'network', message: 'the download was cut short' }));
    });
    response.on('end', end);
  }

  #watch(what: 'connection' | 'reply' | 'byte', waitedMs: number): void {
    clearTimeout(this.#timer);
    if (this.#hasEnded) return;
    this.#timer = setTimeout(() => {
      const message = `no ${what} for ${waitedMs} ms`;
      this.#fail(new JobError({ kind: 'timeout', message, waitedMs }));
    }, waitedMs);
  }
}

function cancelled(): JobError {
  return new JobError({ kind: 'cancelled', message: 'cancelled' });
}

function networkFailure(error: unknown): JobError {
  const message = error instanceof Error ? error.message : String(error);
  return new JobError({ kind: 'network', message, ...systemCodeDetail(error) });
}
