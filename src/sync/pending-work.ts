/** Work that runs side by side, begun one after another, and is waited for together. */
export class PendingWork {
  readonly #work: Promise<void>[] = [];

  add(work: Promise<void>): void {
    // It may fail long before somebody waits for it.
    work.catch(() => undefined);
    this.#work.push(work);
  }

  /** Waits for all, so that nothing runs on behind the caller's back; then throws what failed first. */
  async settled(): Promise<void> {
    const results = await Promise.allSettled(this.#work);
    const failed = results.find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }
}
