import { CallRate } from './call-rate.ts';
import { TokenBucket } from './token-bucket.ts';

/** How long the rate may have gone unused and still be used at once: ECR's own buckets seem to hold as much. */
const BURST_SECONDS = 1;
/** A rate that was cut grows: whoever waits for a slow one looks at it this often. */
const LOOK_INTERVAL_MS = 1000;

/**
 * Holds the calls of one operation to its rate. Who comes first goes first. It has no bound of its own
 * for who waits: those are the parts, layers and images under way, which have theirs.
 */
export class CallGate {
  readonly #rate: CallRate;
  readonly #bucket: TokenBucket;
  readonly #now: () => number;
  /** In the order in which they came. */
  readonly #waiting = new Set<() => void>();
  #timer: NodeJS.Timeout | undefined;

  /** @param now milliseconds of a clock that never goes back */
  constructor(perSecondMax: number, now: () => number = () => performance.now()) {
    this.#rate = new CallRate(perSecondMax);
    this.#bucket = new TokenBucket(perSecondMax, burstOf(perSecondMax), now());
    this.#now = now;
  }

  /** Resolves when the call may leave. @throws the signal's reason */
  async enter(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#waiting.size === 0 && this.#take()) return;
    await new Promise<void>((resolve, reject) => {
      const leave = (): void => {
        this.#waiting.delete(leave);
        signal.removeEventListener('abort', onAbort);
        resolve();
      };
      const onAbort = (): void => {
        this.#waiting.delete(leave);
        if (this.#waiting.size === 0) this.#rest();
        reject(signal.reason);
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#waiting.add(leave);
      this.#wait();
    });
  }

  /** ECR throttled a call that left at `begunAtMs`. */
  throttled(begunAtMs: number): void {
    const nowMs = this.#now();
    if (!this.#rate.throttled(begunAtMs, nowMs)) return;
    this.#adjust(nowMs);
    // ECR's bucket is empty: so is ours.
    this.#bucket.drain(nowMs);
  }

  #take(): boolean {
    const nowMs = this.#now();
    this.#adjust(nowMs);
    return this.#bucket.take(nowMs);
  }

  #adjust(nowMs: number): void {
    const perSecond = this.#rate.perSecond(nowMs);
    this.#bucket.change(perSecond, burstOf(perSecond), nowMs);
  }

  #wait(): void {
    if (this.#timer !== undefined) return;
    const dueMs = Math.min(this.#bucket.waitMs(this.#now()), LOOK_INTERVAL_MS);
    this.#timer = setTimeout(() => this.#admit(), dueMs);
  }

  #admit(): void {
    this.#rest();
    for (const leave of this.#waiting) {
      if (!this.#take()) break;
      leave();
    }
    if (this.#waiting.size > 0) this.#wait();
  }

  #rest(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

function burstOf(perSecond: number): number {
  return Math.max(1, perSecond * BURST_SECONDS);
}
