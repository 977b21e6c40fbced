/**
 * Tells of things one turn of the event loop later, in order: whoever listens may take its time, and
 * what has to go to the wire goes before that.
 */
export class NoticeQueue {
  #notices: (() => void)[] = [];
  #turn: NodeJS.Immediate | undefined;

  add(notice: () => void): void {
    this.#notices.push(notice);
    this.#turn ??= setImmediate(() => this.flush());
  }

  /** Tells all that is left, now. */
  flush(): void {
    clearImmediate(this.#turn);
    this.#turn = undefined;
    const notices = this.#notices;
    this.#notices = [];
    for (const notice of notices) notice();
  }
}
