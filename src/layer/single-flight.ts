import { abortable } from '../abort.ts';

/** Lets concurrent calls for the same thing share one piece of work. */
export class SingleFlight {
  readonly #flights = new Map<string, Promise<unknown>>();

  /**
   * Runs `work`, or waits for another call of the same `key` that is running it already and derives
   * the result from its. If that call fails, be it by its own source or its own abort, the next one
   * in line does the work itself.
   */
  async run<T>(
    key: string,
    signal: AbortSignal,
    work: () => Promise<T>,
    derive: (leader: T) => T,
  ): Promise<T> {
    for (;;) {
      const flight = this.#flights.get(key);
      if (flight === undefined) break;
      const landed = await abortable(
        flight.then(
          (leader) => ({ leader: leader as T }),
          () => undefined,
        ),
        signal,
      );
      if (landed !== undefined) return derive(landed.leader);
    }
    const flight = work();
    this.#flights.set(key, flight);
    try {
      return await flight;
    } finally {
      this.#flights.delete(key);
    }
  }
}
