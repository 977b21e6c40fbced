/** How slow the emulated network and service are. Computes times; moves no bytes. */

import type { OperationName } from './operation-name.ts';

export interface NetworkOptions {
  /**
   * From the last byte of a request to the first of its reply, beside the service's own time, and
   * once more for a new connection. Default 0.
   */
  readonly roundTripMs?: number;
  /** Added to each round trip, evenly drawn from 0 to this. Default 0. */
  readonly jitterMs?: number;
  /** Speed at which one connection's request bodies are read (wire bytes). Default: no limit. */
  readonly bytesPerSecondPerConnection?: number;
  /** The same for all connections together. Default: no limit. */
  readonly bytesPerSecondTotal?: number;
  /** How long the service is busy with an operation once its whole body is there. Default 0. */
  readonly serviceTimeMs?: Partial<Record<OperationName, number>>;
}

/** A late timer may be made up for by this much: keeps the average right, bounds the burst. */
const CATCH_UP_MAX_MS = 20;

/** The time at which a line of fixed speed has moved all that was put on it. */
export class PacedLine {
  readonly #bytesPerMs: number;
  #freeAtMs: number;

  constructor(bytesPerSecond: number | undefined, startsAtMs: number) {
    this.#bytesPerMs = bytesPerSecond === undefined ? Infinity : bytesPerSecond / 1000;
    this.#freeAtMs = startsAtMs;
  }

  /** Puts bytes on the line; returns when the last of them has passed. */
  pass(sizeBytes: number, nowMs: number): number {
    this.#freeAtMs =
      Math.max(this.#freeAtMs, nowMs - CATCH_UP_MAX_MS) + sizeBytes / this.#bytesPerMs;
    return this.#freeAtMs;
  }

  /** An idle line saves nothing up: called when a request starts. */
  start(nowMs: number): void {
    this.#freeAtMs = Math.max(this.#freeAtMs, nowMs);
  }
}

export class NetworkModel {
  readonly #options: NetworkOptions;
  readonly #random: () => number;
  readonly #total: PacedLine | undefined;

  constructor(options: NetworkOptions, random: () => number, nowMs: number) {
    this.#options = options;
    this.#random = random;
    this.#total =
      options.bytesPerSecondTotal === undefined
        ? undefined
        : new PacedLine(options.bytesPerSecondTotal, nowMs);
  }

  /** The lines a new connection's bytes pass, or undefined if nothing is to be paced. */
  linesOf(connectedAtMs: number): ConnectionLines | undefined {
    const { bytesPerSecondPerConnection: own, roundTripMs = 0 } = this.#options;
    if (own === undefined && this.#total === undefined && roundTripMs === 0) return undefined;
    // The handshake costs a round trip: the line opens that much later.
    const line = new PacedLine(own, connectedAtMs + this.roundTripMs());
    return new ConnectionLines(line, this.#total);
  }

  /** One round trip, jitter included. */
  roundTripMs(): number {
    const { jitterMs = 0, roundTripMs = 0 } = this.#options;
    return roundTripMs + (jitterMs === 0 ? 0 : this.#random() * jitterMs);
  }

  serviceTimeMs(operation: OperationName): number {
    return this.#options.serviceTimeMs?.[operation] ?? 0;
  }
}

export class ConnectionLines {
  readonly #own: PacedLine;
  readonly #total: PacedLine | undefined;

  constructor(own: PacedLine, total: PacedLine | undefined) {
    this.#own = own;
    this.#total = total;
  }

  start(nowMs: number): void {
    this.#own.start(nowMs);
    this.#total?.start(nowMs);
  }

  pass(sizeBytes: number, nowMs: number): number {
    return Math.max(this.#own.pass(sizeBytes, nowMs), this.#total?.pass(sizeBytes, nowMs) ?? 0);
  }
}
