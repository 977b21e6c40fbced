/** A target during one sync: what is known of its blobs, and what it has taken so far. */

import type { ImageEvent } from '../image/image-events.ts';
import { BlobLedger } from './blob-ledger.ts';
import { OnceByKey } from './once-by-key.ts';
import type { SyncReportTarget } from './sync-report.ts';
import type { SyncTarget } from './sync-target.ts';

export class Destination {
  readonly target: SyncTarget;
  readonly #tally = {
    uploadedBlobCount: 0,
    uploadedBytes: 0,
    mountedBlobCount: 0,
    mountedBytes: 0,
    mountsRefusedCount: 0,
  };
  /** Repositories that were created, or are being created. */
  readonly #created = new OnceByKey<void>();
  #ledger: Promise<BlobLedger> | undefined;

  constructor(target: SyncTarget) {
    this.target = target;
  }

  /** Asks once whether blobs can be mounted. */
  ledger(signal: AbortSignal): Promise<BlobLedger> {
    this.#ledger ??= this.target.mountsAllowed(signal).then(
      (mounts) => new BlobLedger(mounts),
      // What stands in the way is told by the calls that matter.
      () => new BlobLedger(true),
    );
    return this.#ledger;
  }

  /** Creates a repository, unless another image has had it created. */
  async createOnce(repository: string, create: () => Promise<void>): Promise<void> {
    await this.#created.run(repository, create);
  }

  /** What happens to a push's layers. */
  heard(event: ImageEvent): void {
    if (event.type !== 'layer-completed' || event.receipt.outcome !== 'uploaded') return;
    this.#tally.uploadedBlobCount += 1;
    this.#tally.uploadedBytes += event.receipt.sizeBytes;
  }

  mounted(sizeBytes: number): void {
    this.#tally.mountedBlobCount += 1;
    this.#tally.mountedBytes += sizeBytes;
  }

  mountRefused(): void {
    this.#tally.mountsRefusedCount += 1;
  }

  get mountedBytes(): number {
    return this.#tally.mountedBytes;
  }

  report(): SyncReportTarget {
    return {
      target: this.target.name,
      ...this.#tally,
      calls: this.target.calls(),
      throttledCallCount: this.target.throttledCallCount(),
    };
  }
}
