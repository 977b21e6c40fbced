/** Work that is done once for each key, whoever asks first; others wait for it. */
export class OnceByKey<T> {
  readonly #known = new Map<string, Promise<T>>();

  /** Keys whose work is done, or under way. */
  get size(): number {
    return this.#known.size;
  }

  /**
   * Does the work, unless somebody else has done it or is at it. If theirs fails it is done here: it may
   * have failed since they were aborted.
   * @returns the outcome, and whether it was this call that brought it about
   */
  async run(
    key: string,
    work: () => Promise<T>,
  ): Promise<{ readonly outcome: T; readonly isOwn: boolean }> {
    for (;;) {
      const known = this.#known.get(key);
      if (known === undefined) break;
      const done = await known.then(
        (outcome) => ({ outcome, isOwn: false }),
        () => undefined,
      );
      if (done !== undefined) return done;
    }
    const own = work();
    this.#known.set(key, own);
    try {
      return { outcome: await own, isOwn: true };
    } catch (error) {
      this.#known.delete(key);
      throw error;
    }
  }

  /** Who asks next does the work again. */
  forget(key: string): void {
    this.#known.delete(key);
  }
}
