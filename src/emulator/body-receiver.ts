/** Reads one request body from a connection at the speed of its lines. */

import type { IncomingMessage } from 'node:http';
import type { Exchange } from './exchange.ts';
import type { ConnectionLines } from './network-model.ts';

/** `lost`: the client broke off; `cut`: a fault says we do; `overlong`: more than may be sent. */
export type BodyEnding = 'whole' | 'lost' | 'cut' | 'overlong';

/** Shorter pauses than this are not worth a timer: the line remembers them. */
const PAUSE_MIN_MS = 3;
/** Nearest to its time that a whole body may be called whole: a timer's own precision. */
const PRECISION_MS = 1;

export class BodyReceiver {
  readonly #request: IncomingMessage;
  readonly #exchange: Exchange;
  readonly #lines: ConnectionLines | undefined;
  readonly #cutAfterBytes: number;
  #settle: ((ending: BodyEnding) => void) | undefined;
  #pause: NodeJS.Timeout | undefined;
  /** When the last byte received so far has passed the lines. */
  #passedAtMs = 0;

  constructor(
    request: IncomingMessage,
    exchange: Exchange,
    lines: ConnectionLines | undefined,
    cutAfterBytes: number | undefined,
  ) {
    this.#request = request;
    this.#exchange = exchange;
    this.#lines = lines;
    this.#cutAfterBytes = cutAfterBytes ?? Number.POSITIVE_INFINITY;
  }

  receive(): Promise<BodyEnding> {
    return new Promise((resolve) => {
      this.#settle = resolve;
      this.#lines?.start(performance.now());
      this.#request.on('data', (chunk: Buffer) => this.#take(chunk));
      this.#request.once('end', () => this.#finish());
      this.#request.once('error', () => this.#end('lost'));
      // A request that has ended closes too, perhaps before its bytes have passed the lines.
      this.#request.once('close', () => {
        if (!this.#request.readableEnded) this.#end('lost');
      });
      if (this.#cutAfterBytes === 0) this.#end('cut');
    });
  }

  #take(chunk: Buffer): void {
    if (this.#settle === undefined) return;
    const exchange = this.#exchange;
    exchange.write(chunk);
    if (exchange.bytesReceived >= this.#cutAfterBytes) {
      this.#end('cut');
    } else if (exchange.isOverlong) {
      this.#end('overlong');
    } else if (this.#lines !== undefined) {
      const nowMs = performance.now();
      this.#passedAtMs = this.#lines.pass(chunk.length, nowMs);
      this.#pauseUntilPassed(nowMs);
    }
  }

  // Pausing stops reading from the socket, so the client feels the speed as TCP backpressure.
  #pauseUntilPassed(nowMs: number): void {
    const waitMs = this.#passedAtMs - nowMs;
    if (waitMs < PAUSE_MIN_MS) return;
    this.#request.pause();
    this.#pause = setTimeout(() => {
      this.#pause = undefined;
      this.#request.resume();
    }, waitMs);
  }

  // The body is there when its last byte has passed, even if no pause was due for it.
  #finish(): void {
    const waitMs = this.#passedAtMs - performance.now();
    if (waitMs < PRECISION_MS) {
      this.#end('whole');
      return;
    }
    this.#pause = setTimeout(() => this.#end('whole'), waitMs);
  }

  #end(ending: BodyEnding): void {
    const settle = this.#settle;
    if (settle === undefined) return;
    this.#settle = undefined;
    clearTimeout(this.#pause);
    if (ending === 'overlong') this.#request.pause();
    settle(ending);
  }
}
