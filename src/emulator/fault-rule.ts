/** The vocabulary of faults. */

import type { OperationName } from './operation-name.ts';

/** What a fault does to the request it hits. */
export type FaultAction =
  /**
   * Answers with an exception of the given name. Unless `committed` is true the operation does not
   * take place; if it is true, it does, and the caller is told that it failed.
   */
  | {
      readonly kind: 'fail';
      readonly exception: string;
      /** Default 400. */
      readonly httpStatus?: number;
      /** Default: a text that names the exception. */
      readonly message?: string;
      /** Members beside `message`, for example `kmsError`. */
      readonly members?: Readonly<Record<string, unknown>>;
      /** Extra headers, for example `retry-after`. */
      readonly headers?: Readonly<Record<string, string>>;
      readonly committed?: boolean;
    }
  /** The operation takes place; the connection breaks before a byte of the reply. */
  | { readonly kind: 'lose-reply' }
  /** The connection breaks when this many body bytes have been received. Nothing takes place. */
  | { readonly kind: 'cut-body'; readonly afterBytes: number }
  /** The connection breaks when the head has been received. Nothing takes place. */
  | { readonly kind: 'reset' }
  /** Receives the request and never answers. Nothing takes place; `stop()` ends the connection. */
  | { readonly kind: 'stall' }
  /** The operation takes place; the reply leaves this much later. */
  | { readonly kind: 'delay'; readonly delayMs: number }
  /** The operation takes place; the body of the reply trickles at this speed. */
  | { readonly kind: 'drip'; readonly bytesPerSecond: number }
  /**
   * The operation takes place, but the reply is wrong: 200 with text, 200 with half a JSON document,
   * a `lastByteReceived` one short, a `layerDigest` of other bytes, or a proxy's HTML page with
   * `httpStatus` (default 502; for `html` the operation does *not* take place). Through `/v2/` the last
   * byte is that of `Range` and the digest is `Docker-Content-Digest`.
   */
  | {
      readonly kind: 'garbage';
      readonly form: 'not-json' | 'cut-json' | 'wrong-last-byte' | 'wrong-layer-digest' | 'html';
      readonly httpStatus?: number;
    }
  /** The server's clock is off by this much while it looks at the signature, and in `Date`. */
  | { readonly kind: 'skew-clock'; readonly skewMs: number }
  /** Forgets the upload the request names, then answers: `UploadNotFoundException`. */
  | { readonly kind: 'forget-upload' }
  /** `ThrottlingException` for this request and for all of the operation in the next `durationMs`. */
  | { readonly kind: 'throttle'; readonly durationMs?: number };

/** When which fault strikes. Rules are counted one by one; of several that strike the first wins. */
export interface FaultRule {
  readonly operation: OperationName | '*';
  /** Strikes from the nth request on that the rule matches, 1-based. Default 1. */
  readonly nth?: number;
  /** Strikes so many times. Default 1; with a `probability`, without end. */
  readonly times?: number;
  /**
   * What the request must say. Not for `reset`, `cut-body` and `skew-clock`, which strike before the
   * body is known.
   */
  readonly match?: {
    readonly repository?: string;
    readonly firstByte?: number;
    readonly uploadId?: string;
  };
  /** Chance 0..1 for each match, drawn from the emulator's seed. Default 1. */
  readonly probability?: number;
  readonly action: FaultAction;
}
