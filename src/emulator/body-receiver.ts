/** Reads one request body from a connection at the speed of its lines. */

import type { IncomingMessage } from 'node:http';
import type { ConnectionLines } from './network-model.ts';
import type { RequestExchange } from './request-exchange.ts';

/** `lost`: the client broke off; `cut`: a fault says we do; `overlong`: more than may be sent. */
export type BodyEnding = 'whole' | 'lost' | 'cut' | 'overlong';

/** Shorter pauses than this are not worth a timer: the line remembers them. */
const PAUSE_MIN_MS = 3;
/** Nearest to its time that a whole body may be called whole: a timer's own precision. */
const PRECISION_MS = 1;

export class BodyReceiver {
  readonly #request: IncomingMessage;
  readonly #exchange: RequestExchange;
  readonly #lines: ConnectionLines | undefined;
  readonly #onBusy: (isBusy: boolean) => void;
  #settle: ((ending: BodyEnding) => void) | undefined;
  #pause: NodeJS.Timeout | undefined;
  /** Pieces that the exchange has not worked off yet. */
  #busyCount = 0;
  #hasEnded = false;
  /** When the last byte received so far has passed the lines. */
  #passedAtMs = 0;

  /** @param onBusy - Told when it is not the client who lets the other wait. */
  constructor(
    request: IncomingMessage,
    exchange: RequestExchange,
    lines: ConnectionLines | undefined,
    onBusy: (isBusy: boolean) => void,
  ) {
    this.#request = request;
    this.#exchange = exchange;
    this.#lines = lines;
    this.#onBusy = onBusy;
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
      if (this.#exchange.isCut) this.#end('cut');
    });
  }

  #take(chunk: Buffer): void {
    if (this.#settle === undefined) return;
    const exchange = this.#exchange;
    const work = exchange.write(chunk);
    if (exchange.isCut) {
      this.#end('cut');
    } else if (exchange.isOverlong) {
      this.#end('overlong');
    } else {
      if (work !== undefined) void this.#awaitWork(work);
      if (this.#lines !== undefined) {
        const nowMs = performance.now();
        this.#passedAtMs = this.#lines.pass(chunk.length, nowMs);
        this.#pauseUntilPassed(nowMs);
      }
    }
  }

  async #awaitWork(work: Promise<void>): Promise<void> {
    this.#busyCount += 1;
    this.#request.pause();
    this.#onBusy(true);
    await work;
    this.#busyCount -= 1;
    if (this.#busyCount > 0 || this.#settle === undefined) return;
    this.#onBusy(false);
    if (this.#exchange.isCut) this.#end('cut');
    else if (this.#hasEnded) this.#finish();
    else if (this.#pause === undefined) this.#request.resume();
  }

  // Pausing stops reading from the socket, so the client feels the speed as TCP backpressure.
  #pauseUntilPassed(nowMs: number): void {
    const waitMs = this.#passedAtMs - nowMs;
    if (waitMs < PAUSE_MIN_MS) return;
    this.#request.pause();
    this.#pause = setTimeout(() => {
      this.#pause = undefined;
      if (this.#busyCount === 0) this.#request.resume();
    }, waitMs);
  }

  // The body is there when its last byte has passed, even if no pause was due for it.
  #finish(): void {
    this.#hasEnded = true;
    if (this.#busyCount > 0) return;
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
