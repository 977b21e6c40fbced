/**
 * Hands events to a caller's `onEvent`, frozen and at once. What the caller's function throws can
 * neither delay nor break the work; it is reported once, by a process warning.
 */
export class EventSink<Event extends object> {
  readonly #onEvent: ((event: Event) => void) | undefined;
  #warned = false;

  constructor(onEvent: ((event: Event) => void) | undefined) {
    this.#onEvent = onEvent;
  }

  /** @param event not used by anybody else */
  emit(event: Event): void {
    if (this.#onEvent === undefined) return;
    try {
      this.#onEvent(Object.freeze(event));
    } catch (error) {
      if (this.#warned) return;
      this.#warned = true;
      process.emitWarning(`onEvent threw, its exceptions are ignored: ${String(error)}`, {
        type: 'LongshoreWarning',
      });
    }
  }
}
