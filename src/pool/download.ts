/** Reads what a URL gives, for its digest only: no byte is kept, none crosses threads. */

import { type ClientRequest, type IncomingMessage, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { agentFor } from './connection.ts';
import { type Hasher, startHasher } from './hasher.ts';
import { JobError, systemCodeDetail } from './job-failure.ts';
import type { DownloadJob, JobValue } from './job-protocol.ts';

export class Download {
  readonly #job: DownloadJob;
  #request: ClientRequest | undefined;
  #timer: NodeJS.Timeout | undefined;
  #fail: (error: JobError) => void = () => undefined;

  constructor(job: DownloadJob) {
    this.#job = job;
  }

  /** @throws JobError network, timeout, cancelled */
  async run(): Promise<JobValue['download']> {
    const hasher = await startHasher(this.#job.hasher);
    try {
      return await new Promise((resolve, reject) => {
        this.#fail = reject;
        this.#watch(this.#job.connection.connectTimeoutMs);
        this.#start((response) => this.#read(response, hasher, resolve)).catch((error: unknown) =>
          this.#failFromNetwork(error),
        );
      });
    } finally {
      clearTimeout(this.#timer);
      this.#request?.destroy();
      hasher.release();
    }
  }

  cancel(): void {
    this.#fail(new JobError({ kind: 'cancelled', message: 'cancelled' }));
  }

  async #start(onResponse: (response: IncomingMessage) => void): Promise<void> {
    const { url, connection } = this.#job;
    const { protocol } = new URL(url);
    const agent = await agentFor(protocol, connection);
    const request = (protocol === 'https:' ? httpsRequest : httpRequest)(url, { agent });
    this.#request = request;
    request.on('error', (error) => this.#failFromNetwork(error));
    request.on('response', onResponse);
    this.#watch(connection.replyTimeoutMs);
    request.end();
  }

  #read(
    response: IncomingMessage,
    hasher: Hasher,
    resolve: (value: JobValue['download']) => void,
  ): void {
    const { statusCode } = response;
    if (statusCode !== 200) {
      this.#fail(new JobError({ kind: 'network', message: `HTTP status ${String(statusCode)}` }));
      return;
    }
    let sizeBytes = 0;
    this.#watch(this.#job.connection.stallTimeoutMs);
    response.on('data', (chunk: Buffer) => {
      this.#timer?.refresh();
      hasher.update(chunk);
      sizeBytes += chunk.length;
      // Longer than it should be: how much longer does not matter.
      if (sizeBytes > this.#job.sizeBytes) resolve({ sizeBytes, sha256: hasher.digest() });
    });
    response.on('error', (error) => this.#failFromNetwork(error));
    response.on('aborted', () => {
      this.#fail(new JobError({ kind: 'network', message: 'the download was cut short' }));
    });
    response.on('end', () => resolve({ sizeBytes, sha256: hasher.digest() }));
  }

  #watch(waitedMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      const message = `no byte for ${waitedMs} ms`;
      this.#fail(new JobError({ kind: 'timeout', message, waitedMs }));
    }, waitedMs);
  }

  #failFromNetwork(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    this.#fail(new JobError({ kind: 'network', message, ...systemCodeDetail(error) }));
  }
}
