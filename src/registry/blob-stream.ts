/** A blob as it comes in: read once from front to back, resumed where it broke off. */

import type { Digest } from '../digest.ts';
import { LongshoreError } from '../errors.ts';
import { BodyReader } from './body-reader.ts';
import { ReadFault } from './read-fault.ts';
import type { Download } from './request-permits.ts';
import type { ReadRequest, RegistrySession } from './session.ts';
import type { HttpReply } from './transport.ts';

/** What must arrive for a broken download to count as one that got on: else it could break for ever. */
const PROGRESS_BYTES_MIN = 65_536;

export interface BlobRequest {
  readonly digest: Digest;
  readonly sizeBytes: number;
  /** Where the reading begins. */
  readonly firstByte: number;
  readonly url: URL;
  readonly repository: string;
  /** For messages. */
  readonly source: string;
}

interface Connection {
  readonly reply: HttpReply;
  readonly reader: BodyReader;
}

export class BlobStream implements Download {
  readonly sizeBytes: number;
  readonly #session: RegistrySession;
  readonly #request: BlobRequest;
  #connection: Connection | undefined;
  /** Of the blob, what the network has given, and what was not asked for. */
  #receivedBytes: number;
  /** Received and not read yet. */
  #leftover: Uint8Array = new Uint8Array(0);
  /** What a server that knows no ranges sends again. */
  #skipBytes = 0;
  #failureCount = 0;
  #receivedAtFailure: number;
  #idleSinceMs: number | undefined;

  constructor(session: RegistrySession, request: BlobRequest) {
    this.#session = session;
    this.#request = request;
    this.sizeBytes = request.sizeBytes;
    this.#receivedBytes = request.firstByte;
    this.#receivedAtFailure = request.firstByte;
  }

  /** How far into the blob what has arrived goes. */
  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  /** `undefined` while it is read from. */
  get idleSinceMs(): number | undefined {
    return this.#idleSinceMs;
  }

  /** Resolves when bytes are on their way. @throws ReadFault; E_SOURCE_CHANGED; the signal's reason */
  async start(signal: AbortSignal): Promise<void> {
    try {
      await this.#persist(async () => {
        await this.#connected(signal);
      }, signal);
    } finally {
      this.#idleSinceMs = this.#session.nowMs();
    }
  }

  /**
   * Fills `target` with the bytes that follow those read before; resolves with their count, less than
   * `target.length` only at the end of the blob. One call at a time.
   * @throws ReadFault; E_SOURCE_CHANGED; the signal's reason
   */
  async read(target: Uint8Array, signal: AbortSignal): Promise<number> {
    this.#idleSinceMs = undefined;
    try {
      return await this.#read(target, signal);
    } finally {
      this.#idleSinceMs = this.#session.nowMs();
    }
  }

  /** Ends the download. Idempotent; a read after it goes on where it was. */
  close(): void {
    this.#connection?.reader.close();
    this.#connection = undefined;
  }

  async #read(target: Uint8Array, signal: AbortSignal): Promise<number> {
    let filled = 0;
    while (filled < target.length) {
      if (this.#leftover.length === 0) {
        if (this.#receivedBytes >= this.sizeBytes) break;
        await this.#persist(() => this.#receive(signal), signal);
      }
      const piece = this.#leftover.subarray(0, target.length - filled);
      target.set(piece, filled);
      filled += piece.length;
      this.#leftover = this.#leftover.subarray(piece.length);
    }
    if (this.#receivedBytes >= this.sizeBytes) {
      this.#connection?.reader.finish();
      this.#connection = undefined;
    }
    return filled;
  }

  /** Takes the next piece, of one byte at least, into the leftover. */
  async #receive(signal: AbortSignal): Promise<void> {
    while (this.#leftover.length === 0) {
      const { reply, reader } = await this.#connected(signal);
      const piece = await reader.next(signal).catch((error: unknown) => {
        throw this.#session.faultOf(reply, error);
      });
      if (piece === undefined) {
        const missing = `${this.#receivedBytes} of ${this.sizeBytes} bytes`;
        throw new ReadFault('transient', `${reply.url.host} ended after ${missing}`, 'try again');
      }
      const skipped = Math.min(this.#skipBytes, piece.length);
      this.#skipBytes -= skipped;
      const wanted = this.sizeBytes - this.#receivedBytes;
      const firstByte = this.#receivedBytes - this.#skipBytes - skipped;
      this.#leftover = piece.subarray(skipped, skipped + wanted);
      const { digest } = this.#request;
      this.#session.received(digest, firstByte, skipped + this.#leftover.length);
      this.#receivedBytes += this.#leftover.length;
    }
  }

  async #connected(signal: AbortSignal): Promise<Connection> {
    if (this.#connection !== undefined) return this.#connection;
    const { url, repository } = this.#request;
    const start = this.#receivedBytes;
    const request: ReadRequest = {
      method: 'GET',
      url,
      repository,
      isContentAddressed: true,
      download: this,
      ...(start > 0 && { headers: { range: `bytes=${start}-` } }),
    };
    const reply = await this.#session.attempt(request, signal);
    try {
      this.#skipBytes = reply.status === 206 ? this.#checkedPart(reply) : this.#checkedWhole(reply);
    } catch (error) {
      reply.body.destroy();
      throw error;
    }
    this.#connection = {
      reply,
      reader: new BodyReader(reply, this.#session.options.stallTimeoutMs),
    };
    return this.#connection;
  }

  /** A reply of all bytes: those that are here already are skipped. */
  #checkedWhole(reply: HttpReply): number {
    const length = reply.header('content-length');
    if (length !== undefined && Number(length) !== this.sizeBytes) this.#refuseSize(Number(length));
    return this.#receivedBytes;
  }

  /** A reply to a range: it must begin where the last one ended. */
  #checkedPart(reply: HttpReply): number {
    const range = reply.header('content-range') ?? '';
    const [, first, total] =
      /^bytes ([0-9]{1,15})-[0-9]{1,15}\/([0-9]{1,15}|\*)$/.exec(range) ?? [];
    if (total !== undefined && total !== '*' && Number(total) !== this.sizeBytes) {
      this.#refuseSize(Number(total));
    }
    if (Number(first) === this.#receivedBytes) return 0;
    throw new ReadFault(
      'transient',
      `${reply.url.host} was asked for the bytes from ${this.#receivedBytes} on and sends ` +
        (first === undefined ? 'others' : `those from ${first} on`),
      'its operator must mend that',
      { httpStatus: 206 },
    );
  }

  #refuseSize(actualSizeBytes: number): never {
    const { source, digest } = this.#request;
    const expectedSizeBytes = this.sizeBytes;
    throw new LongshoreError(
      'E_SOURCE_CHANGED',
      `${source}: the blob ${digest} should have ${expectedSizeBytes} bytes, and the registry has ` +
        `${actualSizeBytes}; push the image to that registry anew`,
      { source, expectedSizeBytes, actualSizeBytes },
    );
  }

  /** Tries until it succeeds, or has failed too often without getting on. */
  async #persist(attempt: () => Promise<void>, signal: AbortSignal): Promise<void> {
    for (;;) {
      try {
        return await attempt();
      } catch (error) {
        this.close();
        if (this.#receivedBytes - this.#receivedAtFailure >= PROGRESS_BYTES_MIN) {
          this.#failureCount = 0;
        }
        this.#failureCount += 1;
        this.#receivedAtFailure = this.#receivedBytes;
        await this.#session.waitForRetry(error, this.#failureCount, signal);
      }
    }
  }
}
