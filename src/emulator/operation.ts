/** What an operation gets and gives. */

import type { Digest } from '../digest.ts';
import type { AuthorizationTokens } from './authorization-token.ts';
import type { ResolvedEmulatorOptions } from './emulator-options.ts';
import type { PartBytes } from './part-content.ts';
import type { RegistryState } from './registry-state.ts';

export interface OperationContext {
  readonly registry: RegistryState;
  readonly options: ResolvedEmulatorOptions;
  /** `host:port` of this emulator. */
  readonly registryHost: string;
  readonly now: () => number;
  /** Is busy for the operation's service time. */
  readonly serve: () => Promise<void>;
  readonly downloadUrl: (repositoryName: string, digest: Digest) => string;
  readonly tokens: AuthorizationTokens;
  /** The bytes of the part; only for `UploadLayerPart`. */
  readonly part: PartBytes | undefined;
}

export type OperationOutput = Readonly<Record<string, unknown>>;
export type OperationHandler = (
  input: Readonly<Record<string, unknown>>,
  context: OperationContext,
) => Promise<OperationOutput>;

/** Gives a handler its typed input: the constraints have been checked by then. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the callers name it.
export function operation<Input>(
  handler: (input: Input, context: OperationContext) => Promise<OperationOutput> | OperationOutput,
): OperationHandler {
  return async (input, context) => handler(input as Input, context);
}

/** A moment as awsJson1_1 writes it: seconds since the epoch. */
export function timestamp(ms: number): number {
  return ms / 1000;
}
