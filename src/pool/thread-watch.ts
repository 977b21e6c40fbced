/**
 * Asks the threads that have work, now and then, whether they still answer, and ends those that do not:
 * a thread that is blocked, by a disk that hangs or a defect, would keep its jobs for ever. Turns are
 * counted, not time: when the whole process was asleep or busy, no thread is to blame.
 */

/** Turns that a thread may miss, one after the other. */
const MISSED_TURNS_MAX = 12;

interface Question {
  readonly abort: AbortController;
  missedCount: number;
}

export interface WatchedThreads {
  /** Ids of the threads that run. */
  threadIds(): readonly number[];
  /** Settles when the thread answers; an abort ends the thread. */
  ask(threadId: number, signal: AbortSignal): Promise<unknown>;
}

export class ThreadWatch {
  readonly #threads: WatchedThreads;
  readonly #turnMs: number;
  readonly #questions = new Map<number, Question>();
  #jobCount = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @param silenceMs longest time without an answer, while jobs run; 0 to ask nothing by itself */
  constructor(threads: WatchedThreads, silenceMs: number) {
    this.#threads = threads;
    this.#turnMs = Math.ceil(silenceMs / MISSED_TURNS_MAX);
  }

  /** A job begins. @returns what is to be called once at its end */
  jobBegins(): () => void {
    this.#jobCount += 1;
    if (this.#turnMs > 0) this.#timer ??= setInterval(() => this.turn(), this.#turnMs).unref();
    return () => {
      this.#jobCount -= 1;
      if (this.#jobCount === 0) this.stop();
    };
  }

  /** Asks who is not being asked, and ends who has missed too many turns. */
  turn(): void {
    const threadIds = this.#threads.threadIds();
    for (const id of threadIds) {
      const question = this.#questions.get(id);
      if (question === undefined) {
        this.#ask(id);
        continue;
      }
      question.missedCount += 1;
      if (question.missedCount < MISSED_TURNS_MAX) continue;
      this.#questions.delete(id);
      question.abort.abort();
    }
  }

  /** Nobody is watched any more, until the next job. */
  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#questions.clear();
  }

  #ask(id: number): void {
    const question: Question = { abort: new AbortController(), missedCount: 0 };
    this.#questions.set(id, question);
    const answered = (): void => {
      if (this.#questions.get(id) === question) this.#questions.delete(id);
    };
    this.#threads.ask(id, question.abort.signal).then(answered, answered);
  }
}
