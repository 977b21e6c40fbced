/** Answers that several ask for, each asked for once and kept for a while. */

import { abortable } from '../abort.ts';

interface Answer<T> {
  readonly promise: Promise<T>;
  /** 0 until it is there. */
  sizeBytes: number;
}

export class AnswerCache<T> {
  readonly #bytesMax: number;
  readonly #sizeOf: (answer: T) => number;
  /** The oldest first. */
  readonly #answers = new Map<string, Answer<T>>();
  #bytes = 0;

  /** @param bytesMax of answers that are kept; those that are waited for are not counted */
  constructor(bytesMax: number, sizeOf: (answer: T) => number) {
    this.#bytesMax = bytesMax;
    this.#sizeOf = sizeOf;
  }

  /**
   * @param ask is called for one of those who want the same; it goes on if that one is aborted. Its
   * failure is told to all who wait, and not kept
   */
  get(key: string, ask: () => Promise<T>, signal: AbortSignal): Promise<T> {
    signal.throwIfAborted();
    const known = this.#answers.get(key);
    if (known !== undefined) {
      // Used last, forgotten last.
      this.#answers.delete(key);
      this.#answers.set(key, known);
      return abortable(known.promise, signal);
    }
    const answer: Answer<T> = { promise: ask(), sizeBytes: 0 };
    this.#answers.set(key, answer);
    answer.promise.then(
      (value) => {
        answer.sizeBytes = this.#sizeOf(value);
        this.#bytes += answer.sizeBytes;
        this.#trim();
      },
      () => this.#answers.delete(key),
    );
    return abortable(answer.promise, signal);
  }

  #trim(): void {
    for (const [key, { sizeBytes }] of this.#answers) {
      if (this.#bytes <= this.#bytesMax) return;
      if (sizeBytes === 0) continue;
      this.#answers.delete(key);
      this.#bytes -= sizeBytes;
    }
  }
}
