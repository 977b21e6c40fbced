/** How the registry room hands a signed part to the pool room. */

import type { PreparedPart } from './ports.ts';

/** A signed request without its body. */
export interface RequestHead {
  readonly protocol: string;
  readonly hostname: string;
  readonly port: number | undefined;
  readonly path: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** A registry's reply, whole. */
export interface Reply {
  readonly statusCode: number;
  readonly headers: Record<string, string>;
  readonly body: Uint8Array;
}

/** How to reach the registry, and how long to wait for it. */
export interface ConnectionSettings {
  /** PEM certificates to trust beside Node's own. */
  readonly certificateAuthorities: string | undefined;
  /** The proxy for the endpoint, if any. */
  readonly proxyUrl: string | undefined;
  readonly connectTimeoutMs: number;
  readonly stallTimeoutMs: number;
  readonly replyTimeoutMs: number;
}

/** Why a transmission brought no reply. */
export class TransmissionError extends Error {
  readonly kind: 'network' | 'timeout' | 'worker-lost' | 'defect';
  readonly systemCode: string | undefined;
  readonly waitedMs: number;
  readonly httpStatus: number | undefined;

  constructor(
    kind: TransmissionError['kind'],
    message: string,
    details: {
      readonly systemCode?: string;
      readonly waitedMs?: number;
      readonly httpStatus?: number;
    } = {},
  ) {
    super(message);
    this.kind = kind;
    this.systemCode = details.systemCode;
    this.waitedMs = details.waitedMs ?? 0;
    this.httpStatus = details.httpStatus;
  }
}

export interface PartTransmitter {
  /**
   * Sends a prepared part with its signed head; the body's tail follows when `gate` resolves.
   * @throws TransmissionError, or the signal's reason
   */
  transmit(
    part: PreparedPart,
    head: RequestHead,
    gate: Promise<void> | undefined,
    connection: ConnectionSettings,
    signal: AbortSignal,
  ): Promise<Reply>;
}
