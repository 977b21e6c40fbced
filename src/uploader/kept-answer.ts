import { abortable } from '../abort.ts';

/** What many ask for at once, and one call finds out for all of them. A failure is not kept. */
export class KeptAnswer<T> {
  readonly #ask: () => Promise<T>;
  readonly #keptMs: number;
  readonly #now: () => number;
  #answer: { readonly value: Promise<T>; readonly askedAtMs: number } | undefined;

  /**
   * @param ask must end by itself, or with its owner: no one of those who wait may end it
   * @param keptMs how long an answer is good for
   * @param now milliseconds of a clock that never goes back
   */
  constructor(
    ask: () => Promise<T>,
    keptMs: number = Number.POSITIVE_INFINITY,
    now: () => number = () => performance.now(),
  ) {
    this.#ask = ask;
    this.#keptMs = keptMs;
    this.#now = now;
  }

  /** @throws what the call did; the signal's reason */
  get(signal: AbortSignal): Promise<T> {
    const nowMs = this.#now();
    if (this.#answer === undefined || nowMs - this.#answer.askedAtMs >= this.#keptMs) {
      const answer = { value: this.#ask(), askedAtMs: nowMs };
      this.#answer = answer;
      answer.value.catch(() => {
        if (this.#answer === answer) this.#answer = undefined;
      });
    }
    return abortable(this.#answer.value, signal);
  }

  /** The answer has proved wrong: the next one asks anew. Not if there is a newer one by now. */
  async drop(wrong: T): Promise<void> {
    const answer = this.#answer;
    const value = await answer?.value.catch(() => undefined);
    if (value === wrong && this.#answer === answer) this.#answer = undefined;
  }
}
