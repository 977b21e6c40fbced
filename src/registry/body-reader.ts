/** Reads the body of a reply: in pieces, as fast as they are wanted, or whole and bounded. */

import { abortable } from '../abort.ts';
import { ReadFault } from './read-fault.ts';
import type { HttpReply } from './transport.ts';

export class BodyReader {
  readonly #reply: HttpReply;
  readonly #stallTimeoutMs: number;
  readonly #pieces: AsyncIterator<Uint8Array>;

  /** @param stallTimeoutMs counted only while a piece is waited for */
  constructor(reply: HttpReply, stallTimeoutMs: number) {
    this.#reply = reply;
    this.#stallTimeoutMs = stallTimeoutMs;
    this.#pieces = reply.body[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  }

  /**
   * The next piece, or `undefined` at the end.
   * @throws ReadFault when nothing arrives; what the connection threw; the signal's reason
   */
  async next(signal: AbortSignal): Promise<Uint8Array | undefined> {
    const { body, url } = this.#reply;
    const stall = setTimeout(() => {
      body.destroy(
        new ReadFault(
          'transient',
          `nothing came from ${url.host} for ${this.#stallTimeoutMs} ms`,
          'check the network, or raise stallTimeoutMs',
          { systemCode: 'ETIMEDOUT' },
        ),
      );
    }, this.#stallTimeoutMs);
    try {
      const { done, value } = await abortable(this.#pieces.next(), signal);
      return done === true ? undefined : value;
    } finally {
      clearTimeout(stall);
    }
  }

  /** For a body that has nothing more to give: its connection can be used again once it has ended. */
  finish(): void {
    this.next(new AbortController().signal)
      .catch(() => undefined)
      .finally(() => this.close());
  }

  /** Ends the request. Idempotent. */
  close(): void {
    this.#reply.body.destroy();
  }
}

/** The whole body, or `undefined` if it has more than `sizeBytesMax`; then no more is read of it. */
export async function readWhole(
  reply: HttpReply,
  sizeBytesMax: number,
  stallTimeoutMs: number,
  signal: AbortSignal,
): Promise<Buffer | undefined> {
  const reader = new BodyReader(reply, stallTimeoutMs);
  const pieces: Uint8Array[] = [];
  let sizeBytes = 0;
  try {
    for (;;) {
      const piece = await reader.next(signal);
      if (piece === undefined) return Buffer.concat(pieces, sizeBytes);
      sizeBytes += piece.length;
      if (sizeBytes > sizeBytesMax) return undefined;
      pieces.push(piece);
    }
  } finally {
    reader.close();
  }
}
