/** Between work that tells and a caller who listens in their own time. */

/** Events that wait to be taken; then who tells waits. */
const EVENTS_WAITING_MAX = 1000;

export class EventQueue<Event> {
  readonly #events: Event[] = [];
  #ended = false;
  #onEvent: (() => void) | undefined;
  /** Those who wait for room. */
  #onRoom: (() => void)[] = [];

  /** Resolves when there is room for more; who cannot wait need not. */
  async push(event: Event): Promise<void> {
    if (this.#ended) return;
    this.#events.push(event);
    this.#onEvent?.();
    if (this.#events.length < EVENTS_WAITING_MAX) return;
    await new Promise<void>((resolve) => this.#onRoom.push(resolve));
  }

  /** Takes an event that only counts while it is fresh: not if others wait. */
  offer(event: Event): void {
    if (this.#events.length === 0) void this.push(event);
  }

  /** What waits is still given out. Idempotent. */
  end(): void {
    this.#ended = true;
    this.#onEvent?.();
    this.#makeRoom();
  }

  async *take(): AsyncGenerator<Event, void> {
    for (;;) {
      const event = this.#events.shift();
      if (event !== undefined) {
        if (this.#events.length < EVENTS_WAITING_MAX / 2) this.#makeRoom();
        yield event;
      } else if (this.#ended) {
        return;
      } else {
        await new Promise<void>((resolve) => {
          this.#onEvent = resolve;
        });
        this.#onEvent = undefined;
      }
    }
  }

  #makeRoom(): void {
    const waiting = this.#onRoom;
    this.#onRoom = [];
    for (const resolve of waiting) resolve();
  }
}
