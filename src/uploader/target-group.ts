/** Several ECR registries that are filled together: by one pool of threads, within one memory. */

import { LongshoreError } from '../errors.ts';
import { RegistryTarget } from './registry-target.ts';
import { RunningWork } from './running-work.ts';
import { openRegistryStations, openSharedStations } from './stations.ts';
import { resolveUploaderOptions, type UploaderOptions } from './uploader-options.ts';

/** What may differ from target to target: connections, rates, and what is made. */
export type TargetOptions = Omit<UploaderOptions, SharedOption>;

type SharedOption =
  | 'bytesInMemoryMax'
  | 'partsInFlightTotal'
  | 'workersMax'
  | 'workerUrl'
  | 'hasher';

export interface TargetGroup extends AsyncDisposable {
  readonly targets: ReadonlyMap<string, RegistryTarget>;
  /** Takes no new work, finishes what runs, then ends threads, sockets and timers. Idempotent. */
  close(): Promise<void>;
  /** Aborts what runs with `reason` (default: E_CLOSED), then as `close`. Idempotent. */
  destroy(reason?: unknown): Promise<void>;
}

/**
 * Opens targets by names of the caller's. Threads and connections start with the first push.
 * @param targets options of each; what they do not say, `shared` does (`client` by its members)
 * @param shared for all of them together
 * @throws LongshoreError E_OPTION_INVALID
 */
export function openTargets(
  targets: Readonly<Record<string, TargetOptions>>,
  shared: UploaderOptions = {},
): TargetGroup {
  const common = resolveUploaderOptions(shared);
  const resolved = Object.entries(targets).map(([name, options]) => {
    const client = { ...shared.client, ...options.client };
    return [name, resolveUploaderOptions({ ...shared, ...options, client })] as const;
  });
  const stations = openSharedStations(common);
  const work = new RunningWork(async () => {
    const reason = new LongshoreError('E_CLOSED', 'the targets are closed; open them again', {});
    await Promise.all([...opened.values()].map((target) => target.close(reason)));
    await stations.pool.close();
  });
  const opened = new Map(
    resolved.map(([name, options]) => [
      name,
      new RegistryTarget(name, openRegistryStations(options, stations), work),
    ]),
  );
  const close = (): Promise<void> => work.close();
  return {
    targets: opened,
    close,
    destroy: (reason) => work.destroy(reason),
    [Symbol.asyncDispose]: close,
  };
}
