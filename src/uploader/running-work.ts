/** What is under way, which ends with its owner: `close` waits for it, `destroy` aborts it. */

import { setMaxListeners } from 'node:events';
import { abortable } from '../abort.ts';
import { LongshoreError } from '../errors.ts';

export class RunningWork {
  readonly #running = new Set<Promise<unknown>>();
  readonly #stop = new AbortController();
  readonly #end: () => Promise<void>;
  #closing = false;
  #closed: Promise<void> | undefined;

  /** @param end what is closed once nothing is under way any more */
  constructor(end: () => Promise<void>) {
    this.#end = end;
    setMaxListeners(0, this.#stop.signal);
  }

  /** Runs work under the caller's signal and our own; `close` waits for it. @throws E_CLOSED */
  async start<T>(
    callSignal: AbortSignal | undefined,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    callSignal?.throwIfAborted();
    if (this.#closing) throw closedError();
    const abort = new AbortController();
    // Every layer of an image listens: no leak, so no warning of one.
    setMaxListeners(0, abort.signal);
    const unlink = [this.#stop.signal, callSignal].map((signal) => linkAbort(signal, abort));
    const running = work(abort.signal);
    this.#running.add(running);
    void running
      .catch(() => undefined)
      .finally(() => {
        this.#running.delete(running);
        for (const undo of unlink) undo();
      });
    // An abort is answered at once, even if a disk or a name server keeps the clean-up waiting.
    return abortable(running, abort.signal);
  }

  /** Takes no new work, finishes what runs. Idempotent. */
  close(): Promise<void> {
    this.#closing = true;
    this.#closed ??= Promise.allSettled(this.#running).then(() => this.#end());
    return this.#closed;
  }

  /** Aborts what runs, then as `close`. Idempotent. */
  destroy(reason: unknown = closedError()): Promise<void> {
    this.#stop.abort(reason);
    return this.close();
  }
}

/** A caller's signal may live long: what hangs on it must not stay with it when the push has ended. */
export async function withOwnDrain<T, Call extends { readonly drainSignal?: AbortSignal }>(
  call: Call,
  work: (call: Call) => Promise<T>,
): Promise<T> {
  if (call.drainSignal === undefined) return work(call);
  const drain = new AbortController();
  const unlink = linkAbort(call.drainSignal, drain);
  try {
    return await work({ ...call, drainSignal: drain.signal });
  } finally {
    unlink();
  }
}

/** Aborts `abort` when `signal` does; returns what undoes the link. */
function linkAbort(signal: AbortSignal | undefined, abort: AbortController): () => void {
  if (signal === undefined) return () => undefined;
  const onAbort = (): void => abort.abort(signal.reason);
  // Many uploads may share a signal, with one listener each: no leak, so no warning of one.
  setMaxListeners(0, signal);
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  return () => signal.removeEventListener('abort', onAbort);
}

function closedError(): LongshoreError<'E_CLOSED'> {
  return new LongshoreError('E_CLOSED', 'the uploader is closed; create another one', {});
}
