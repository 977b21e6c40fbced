/** The AWS client and what every call to ECR goes through: a rate, no retries, faults as data, a tally. */

import type { ECRClient, ECRClientConfig } from '@aws-sdk/client-ecr';
import { abortable } from '../abort.ts';
import { LongshoreError } from '../errors.ts';
import { RegistryFault } from '../layer/ports.ts';
import type { CallContext } from './call-context.ts';
import { withinTime } from './call-deadline.ts';
import { CallGate } from './call-gate.ts';
import type { CallsPerSecond } from './call-quota.ts';
import { isExpiredCredentials, toRegistryFault } from './ecr-fault.ts';
import type { HttpHandler } from './request-handler.ts';
import { clientFault } from './settings-fault.ts';

export interface EcrCallerOptions {
  readonly client: ECRClientConfig;
  readonly registryId: string | undefined;
  readonly requestHandler: HttpHandler;
  readonly callsPerSecondMax: CallsPerSecond;
}

/** The AWS SDK, and the client of it that makes our calls. */
export interface Ecr {
  readonly sdk: typeof import('./ecr-sdk.ts');
  readonly client: ECRClient;
}

/** Calls made, by operation, every attempt counted. */
export type CallTally = Map<string, number>;

export class EcrCaller {
  /** What each request says of the registry it is for. */
  readonly registry: { readonly registryId?: string };
  readonly #options: EcrCallerOptions;
  /** By operation. */
  readonly #gates: ReadonlyMap<string, CallGate>;
  readonly #calls: CallTally = new Map();
  #throttledCount = 0;
  #ecr: Promise<Ecr> | undefined;
  #renewal: Promise<boolean> | undefined;
  #renewedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: EcrCallerOptions) {
    this.registry = options.registryId === undefined ? {} : { registryId: options.registryId };
    this.#options = options;
    this.#gates = new Map(
      Object.entries(options.callsPerSecondMax)
        .filter(([, perSecond]) => Number.isFinite(perSecond))
        .map(([operation, perSecond]) => [operation, new CallGate(perSecond)]),
    );
  }

  /** All calls made so far, by operation, every attempt counted. */
  get calls(): ReadonlyMap<string, number> {
    return this.#calls;
  }

  /** Of these, those that ECR refused for their rate. */
  get throttledCount(): number {
    return this.#throttledCount;
  }

  /** Begins to load what the first call needs. What goes wrong, that call tells. */
  warm(): void {
    this.#load().catch(() => undefined);
  }

  /** Ends the connections of the control calls, once nothing is being loaded any more. */
  async destroy(): Promise<void> {
    const ecr = await this.#ecr?.catch(() => undefined);
    ecr?.client.destroy();
  }

  /**
   * @param handed of a part: resolves when its request is signed and on its way to a worker
   * @throws RegistryFault; the signal's reason
   */
  async call<T>(
    context: CallContext,
    tally: CallTally | undefined,
    signal: AbortSignal,
    send: (ecr: Ecr) => Promise<T>,
    handed?: Promise<void>,
  ): Promise<T> {
    const ecr = await abortable(this.#load(), signal);
    const gate = this.#gates.get(context.operation);
    await gate?.enter(signal);
    for (const counts of [this.#calls, tally]) {
      counts?.set(context.operation, (counts.get(context.operation) ?? 0) + 1);
    }
    const startedAtMs = performance.now();
    try {
      return await withinTime(send(ecr), handed, signal);
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      const elapsedMs = Math.round(performance.now() - startedAtMs);
      const fault = toRegistryFault(error, { ...context, elapsedMs });
      if (fault.kind === 'throttled') {
        this.#throttledCount += 1;
        gate?.throttled(startedAtMs);
      }
      if (isExpiredCredentials(fault) && (await this.#renewedSince(ecr.client, startedAtMs))) {
        throw new RegistryFault('renewed', fault.error);
      }
      throw fault;
    }
  }

  #load(): Promise<Ecr> {
    if (this.#ecr === undefined) {
      const ecr = this.#create();
      this.#ecr = ecr;
      // What failed for want of a file handle may go well the next time.
      ecr.catch(() => {
        if (this.#ecr === ecr) this.#ecr = undefined;
      });
    }
    return this.#ecr;
  }

  async #create(): Promise<Ecr> {
    const sdk = await import('./ecr-sdk.ts');
    const settings = { ...this.#options.client };
    delete settings.retryStrategy;
    delete settings.retryMode;
    try {
      const client = new sdk.ECRClient({
        ...settings,
        requestHandler: this.#options.requestHandler as NonNullable<
          ECRClientConfig['requestHandler']
        >,
        // One retry loop, ours: the SDK's would resend a part that landed and would take
        // LimitExceededException for throttling (measured by others, H).
        maxAttempts: 1,
      });
      return { sdk, client };
    } catch (error) {
      throw clientFault(error);
    }
  }

  /** Whether there are other credentials now than when a call began; many calls share one renewal. */
  async #renewedSince(client: ECRClient, startedAtMs: number): Promise<boolean> {
    if (this.#renewedAtMs > startedAtMs) return true;
    this.#renewal ??= this.#renewCredentials(client).finally(() => {
      this.#renewal = undefined;
    });
    const renewed = await this.#renewal;
    if (renewed) this.#renewedAtMs = performance.now();
    return renewed;
  }

  /** Asks the credential chain anew. Resolves with whether it had others to give. */
  async #renewCredentials(client: ECRClient): Promise<boolean> {
    const provide: (options?: { forceRefresh: boolean }) => Promise<{
      readonly accessKeyId: string;
      readonly sessionToken?: string | undefined;
    }> = client.config.credentials;
    try {
      const before = await provide();
      const after = await provide({ forceRefresh: true });
      return before.accessKeyId !== after.accessKeyId || before.sessionToken !== after.sessionToken;
    } catch {
      return false;
    }
  }
}

/** ECR answered, but not as its model says. */
export function wrongReply(
  context: CallContext,
  expected: string,
  received: string,
): RegistryFault {
  const message = `${context.operation} answered without ${expected}; check the endpoint and any proxy on the way`;
  return new RegistryFault(
    'ambiguous',
    new LongshoreError('E_REGISTRY_PROTOCOL', message, {
      operation: context.operation,
      repository: context.repository,
      expected,
      received,
    }),
  );
}
