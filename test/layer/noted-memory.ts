import { PartMemory } from '../../src/layer/part-memory.ts';
import { MIB } from '../../src/limits.ts';

/** Part memory that notes how much is asked for, and when threads count as busy. */
export class NotedMemory extends PartMemory {
  /** As `bytes of remaining bytes`. */
  readonly wishes: string[] = [];
  /** Preparations under way, and in all. */
  preparingCount = 0;
  preparedCount = 0;
  releasedCount = 0;

  constructor() {
    super(100 * MIB, 100 * MIB);
  }

  override acquire(
    sizeBytes: number,
    remainingBytes: number,
    signal: AbortSignal,
  ): Promise<SharedArrayBuffer> {
    this.wishes.push(`${sizeBytes} of ${remainingBytes}`);
    return super.acquire(sizeBytes, remainingBytes, signal);
  }

  override release(shared: SharedArrayBuffer): void {
    this.releasedCount += 1;
    super.release(shared);
  }

  override beginPreparation(): () => void {
    this.preparingCount += 1;
    this.preparedCount += 1;
    const end = super.beginPreparation();
    return () => {
      this.preparingCount -= 1;
      end();
    };
  }
}
