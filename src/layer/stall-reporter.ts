/** Looks at the layers of an uploader now and then, and tells of those that stand still. */

import type { LayerProgress } from './layer-progress.ts';
import { type Movement, type StallTimes, StallWatch } from './stall-watch.ts';

/** Looks from one notice to the next, at the least. */
const LOOKS_PER_NOTICE = 4;
const LOOK_INTERVAL_MS = { min: 5, max: 5000 };
/** Looks that may be missed before the time does not count. */
const GAP_LOOKS_MAX = 3;

type LayerMovement = Movement & { readonly layer: LayerProgress };

/** How long an uploader waits for what. */
export interface StallTimeouts {
  readonly connectTimeoutMs: number;
  readonly stallTimeoutMs: number;
  readonly replyTimeoutMs: number;
}

export class StallReporter {
  readonly #layers: ReadonlySet<LayerProgress>;
  readonly #times: StallTimes;
  readonly #intervalMs: number;
  #watch: StallWatch<LayerMovement>;
  #timer: NodeJS.Timeout | undefined;

  constructor(layers: ReadonlySet<LayerProgress>, timeouts: StallTimeouts) {
    this.#layers = layers;
    this.#times = noticeTimes(timeouts);
    const { min, max } = LOOK_INTERVAL_MS;
    const leastMs = Math.min(...Object.values(this.#times)) / LOOKS_PER_NOTICE;
    this.#intervalMs = Math.min(max, Math.max(min, Math.ceil(leastMs)));
    this.#watch = this.#createWatch();
  }

  /** Looks from now on. The timer keeps no process alive. */
  start(): void {
    this.#timer ??= setInterval(() => this.#look(), this.#intervalMs).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#watch = this.#createWatch();
  }

  #createWatch(): StallWatch<LayerMovement> {
    return new StallWatch(this.#times, this.#intervalMs * GAP_LOOKS_MAX);
  }

  #look(): void {
    const things = [...this.#layers].flatMap((layer) =>
      layer.movements.map((movement) => ({
        ...movement,
        key: `${layer.name.layerId} ${movement.key}`,
        layer,
      })),
    );
    for (const { thing, waitedMs } of this.#watch.look(things, performance.now())) {
      thing.layer.stalled(thing, waitedMs, 'none');
    }
  }
}

/** Half of the time after which something is done about it. */
function noticeTimes(timeouts: StallTimeouts): StallTimes {
  const { connectTimeoutMs, stallTimeoutMs, replyTimeoutMs } = timeouts;
  const usual = stallTimeoutMs / 2;
  return {
    rate: usual,
    credentials: usual,
    worker: usual,
    connection: connectTimeoutMs / 2,
    socket: usual,
    // Of the two it is the one before that is to be named; the hold has a bound of its own.
    predecessor: Number.POSITIVE_INFINITY,
    reply: replyTimeoutMs / 2,
    source: usual,
    preparation: usual,
    memory: usual,
    turn: usual,
    call: replyTimeoutMs / 2,
  };
}
