/**
 * Bounds the requests to a registry at once.
 *
 * A download keeps its permit until its body is read or closed, and that may wait for part memory, which
 * downloads may have that wait for a permit. So that they cannot wait for each other for ever, a download
 * from which nobody reads has to give its permit up to who waits; it goes on later where it was. And
 * manifests, tags and the like have permits that downloads never take: they are short, they hold no
 * memory, and small images must not wait for large layers.
 */

import type { Surroundings } from './surroundings.ts';

/** What has a permit, and may have to give it up. */
export interface Download {
  /** `undefined` while it is read from. */
  readonly idleSinceMs: number | undefined;
  /** Ends the connection; it is made anew when somebody reads. */
  close(): void;
}

export const REQUESTS_IN_FLIGHT = { max: 256, byDefault: 32 } as const;
/** Of the permits, the share that downloads never take. */
const RESERVED_SHARE = 0.25;
/** A download that nobody reads from for so long gives its permit to who waits. */
const IDLE_MS_MAX = 1000;

interface Waiter {
  readonly download: Download | undefined;
  readonly grant: () => void;
}

export class RequestPermits {
  readonly #inFlightMax: number;
  readonly #downloadsMax: number;
  readonly #surroundings: Surroundings;
  /** As many as there are layers and images under way. */
  readonly #waiting = new Set<Waiter>();
  /** By permit: a download may have one anew before the last one is given back. */
  readonly #downloads = new Map<Waiter, Download>();
  #inFlight = 0;
  #watch: AbortController | undefined;

  constructor(inFlightMax: number, surroundings: Surroundings) {
    this.#inFlightMax = inFlightMax;
    this.#downloadsMax = Math.max(1, inFlightMax - Math.ceil(inFlightMax * RESERVED_SHARE));
    this.#surroundings = surroundings;
  }

  /** Resolves with what gives the permit back; it may be called more than once. @throws the signal's reason */
  async take(download: Download | undefined, signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    const permit = await new Promise<Waiter>((resolve, reject) => {
      const giveUp = (): void => {
        this.#waiting.delete(waiter);
        this.#serve();
        reject(signal.reason);
      };
      const grant = (): void => {
        signal.removeEventListener('abort', giveUp);
        resolve(waiter);
      };
      const waiter: Waiter = { download, grant };
      signal.addEventListener('abort', giveUp, { once: true });
      this.#waiting.add(waiter);
      this.#serve();
    });
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      this.#inFlight -= 1;
      this.#downloads.delete(permit);
      this.#serve();
    };
  }

  #serve(): void {
    for (const isDownload of [false, true]) {
      for (const waiter of this.#waiting) {
        if (this.#inFlight >= this.#inFlightMax) break;
        const { download } = waiter;
        if ((download !== undefined) !== isDownload) continue;
        if (download !== undefined && this.#downloads.size >= this.#downloadsMax) break;
        this.#waiting.delete(waiter);
        this.#inFlight += 1;
        if (download !== undefined) this.#downloads.set(waiter, download);
        waiter.grant();
      }
    }
    if (this.#waiting.size === 0) {
      this.#watch?.abort();
      this.#watch = undefined;
    } else if (this.#watch === undefined) {
      this.#watch = new AbortController();
      void this.#reclaim(this.#watch.signal);
    }
  }

  /** As long as somebody waits. */
  async #reclaim(signal: AbortSignal): Promise<void> {
    try {
      for (;;) {
        await this.#surroundings.delay(IDLE_MS_MAX, signal);
        const nowMs = this.#surroundings.now();
        let wantedCount = this.#waiting.size;
        for (const download of this.#downloads.values()) {
          const { idleSinceMs = nowMs } = download;
          if (nowMs - idleSinceMs < IDLE_MS_MAX || wantedCount === 0) continue;
          wantedCount -= 1;
          download.close();
        }
      }
    } catch {
      // Nobody waits any more.
    }
  }
}
