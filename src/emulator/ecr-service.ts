/** The parts of one emulator that every exchange needs. */

import type { Digest } from '../digest.ts';
import type { AuthorizationTokens } from './authorization-token.ts';
import { STAGED_BYTES_MAX } from './emulator-limits.ts';
import type { ResolvedEmulatorOptions } from './emulator-options.ts';
import type { EcrException } from './exception.ts';
import type { FaultPlan } from './fault-plan.ts';
import type { RequestJournal } from './journal.ts';
import type { NetworkModel } from './network-model.ts';
import type { OperationName } from './operation-name.ts';
import type { PendingWaits } from './pending-waits.ts';
import { QuotaGuard, throttled } from './quotas.ts';
import type { RegistryState } from './registry-state.ts';
import { StagingBudget } from './staging-budget.ts';

export interface ServiceStations {
  readonly options: ResolvedEmulatorOptions;
  readonly registry: RegistryState;
  readonly journal: RequestJournal;
  readonly faults: FaultPlan;
  readonly network: NetworkModel;
  readonly waits: PendingWaits;
  readonly downloadUrl: (repositoryName: string, digest: Digest) => string;
  readonly tokens: AuthorizationTokens;
}

export class EcrService {
  readonly options: ResolvedEmulatorOptions;
  readonly registry: RegistryState;
  readonly journal: RequestJournal;
  readonly faults: FaultPlan;
  readonly network: NetworkModel;
  readonly waits: PendingWaits;
  readonly downloadUrl: (repositoryName: string, digest: Digest) => string;
  readonly tokens: AuthorizationTokens;
  readonly staging: StagingBudget = new StagingBudget(STAGED_BYTES_MAX);
  /** Known once the server listens. */
  registryHost = '';
  readonly #quotas: QuotaGuard;
  readonly #throttledUntilMs: Map<OperationName, number> = new Map();

  constructor(stations: ServiceStations) {
    this.options = stations.options;
    this.registry = stations.registry;
    this.journal = stations.journal;
    this.faults = stations.faults;
    this.network = stations.network;
    this.waits = stations.waits;
    this.downloadUrl = stations.downloadUrl;
    this.tokens = stations.tokens;
    this.#quotas = new QuotaGuard(stations.options.quotas, stations.options.clock());
  }

  get now(): () => number {
    return this.options.clock;
  }

  serve(operation: OperationName): Promise<void> {
    return this.waits.wait(this.network.serviceTimeMs(operation));
  }

  refusalByQuota(operation: OperationName): EcrException | undefined {
    const nowMs = this.now();
    if (nowMs < (this.#throttledUntilMs.get(operation) ?? 0)) return throttled();
    return this.#quotas.refusal(operation, nowMs);
  }

  throttleFor(operation: OperationName, durationMs: number): void {
    this.#throttledUntilMs.set(operation, this.now() + durationMs);
  }
}
