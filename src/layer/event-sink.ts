/**
 * Hands events to a caller's `onEvent`, frozen and at once. What the caller's function throws, or its
 * promise rejects with, can neither delay nor break the work; it is reported once, by a process warning.
 */
export class EventSink<Event extends object> {
  readonly #onEvent: ((event: Event) => unknown) | undefined;
  #warned = false;

  constructor(onEvent: ((event: Event) => unknown) | undefined) {
    this.#onEvent = onEvent;
  }

  /** @param event data only; it is frozen with all that is in it */
  emit(event: Event): void {
    if (this.#onEvent === undefined) return;
    try {
      const result = this.#onEvent(freezeDeeply(event));
      if (result instanceof Promise) result.catch((error: unknown) => this.#warn(error));
    } catch (error) {
      this.#warn(error);
    }
  }

  #warn(error: unknown): void {
    if (this.#warned) return;
    this.#warned = true;
    process.emitWarning(`onEvent threw, its exceptions are ignored: ${String(error)}`, {
      type: 'LongshoreWarning',
    });
  }
}

/** What is frozen already was frozen here, with all that is in it. */
function freezeDeeply<T extends object>(value: T): T {
  if (Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const member of Object.values(value)) {
    if (typeof member === 'object' && member !== null) freezeDeeply(member as object);
  }
  return value;
}
