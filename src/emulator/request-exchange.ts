/** One request from its head to its reply, as a carrier sees it: the HTTP server or a handler. */

import type { Reply } from './reply.ts';
import type { SignedHead } from './signature.ts';

export interface RequestHead extends SignedHead {
  readonly connectionId: number;
}

/** What the head alone decides. */
export type HeadVerdict =
  /** Read the body. */
  | { readonly kind: 'read' }
  /** Answer at once and end the connection. */
  | { readonly kind: 'refuse'; readonly reply: Reply }
  | { readonly kind: 'reset' };

export interface RequestExchange {
  readonly verdict: HeadVerdict;
  /**
   * Takes the next piece of the body. The buffer must not change afterwards.
   *
   * @returns If given, the sender should pause until it resolves; it never rejects.
   */
  write(chunk: Buffer): Promise<void> | undefined;
  /** True once more body is of no use and the reply can go out with the connection. */
  readonly isOverlong: boolean;
  /** True once a fault says that the connection breaks here. */
  readonly isCut: boolean;
  /** The whole body has arrived: carries the request out. Never rejects. */
  end(): Promise<Reply>;
  /** The reply has left, or never will. */
  close(): void;
}
