/** What `--listen` offers: the health of a watched sync, and its metrics. */

import type { CliContext } from './context.ts';
import { startHealthServer } from './health-server.ts';
import type { ListenAddress } from './listen-address.ts';
import { SyncHealth } from './sync-health.ts';
import { createSyncMetrics } from './sync-metrics.ts';
import type { SyncObserver } from './sync-run.ts';

export interface SyncEndpoint {
  readonly address: ListenAddress;
  /** To be told of the runs. */
  readonly observers: readonly SyncObserver[];
  close(): Promise<void>;
}

/** @throws CommandFailure where nothing can listen there */
export async function startSyncEndpoint(
  context: Pick<CliContext, 'now'>,
  wanted: ListenAddress,
): Promise<SyncEndpoint> {
  const health = new SyncHealth(() => context.now());
  const metrics = await createSyncMetrics();
  const server = await startHealthServer(wanted, {
    '/healthz': () => Promise.resolve(health.page()),
    '/metrics': () => metrics.page(),
  });
  return {
    address: server.address,
    observers: [health, metrics],
    close: () => server.close(),
  };
}
