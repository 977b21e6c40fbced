/** All waits of one emulator, so that stopping it ends them. */
export class PendingWaits {
  readonly #pending: Map<NodeJS.Timeout, () => void> = new Map();
  #stopped = false;

  /** Resolves after `delayMs`, or at once when the emulator stops. */
  wait(delayMs: number): Promise<void> {
    if (delayMs <= 0 || this.#stopped) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#pending.delete(timer);
        resolve();
      }, delayMs);
      this.#pending.set(timer, resolve);
    });
  }

  get isStopped(): boolean {
    return this.#stopped;
  }

  stop(): void {
    this.#stopped = true;
    for (const [timer, resolve] of this.#pending) {
      clearTimeout(timer);
      resolve();
    }
    this.#pending.clear();
  }
}
