/** One read of a blob feeds several targets. */

import { abortable } from '../abort.ts';
import type { LayerSource, OpenSource } from '../layer/layer-source.ts';
import { PassSource } from './pass-source.ts';
import { type PassMember, SharedPass, type StartTimer } from './joint-pass.ts';

/** Until all readers of a source are there; who comes later reads by itself. */
const JOIN_WAIT_MS = 10_000;
/** Until all have taken a piece; who takes longer reads on by itself. */
const LAGGARD_WAIT_MS = 2000;

export interface SharedReadsOptions {
  /** Default 10,000. */
  readonly joinWaitMs?: number;
  /** Default 2,000. */
  readonly laggardWaitMs?: number;
  /** Default: the process's timers. */
  readonly startTimer?: StartTimer;
}

/** One of several reads of a source. */
export interface SharedRead {
  /**
   * To be uploaded once. Opening it waits for the others, the first time; opened again, as by a layer
   * that starts again, it reads by itself.
   */
  readonly source: LayerSource;
  /** It turned out that this one is not needed: nobody waits for it. Idempotent. */
  leave(): void;
}

/**
 * The shared reads of a sync. Each ends when its readers have closed or left; nothing is left of it then.
 */
export class SharedReads {
  readonly #options: Required<SharedReadsOptions>;

  constructor(options: SharedReadsOptions = {}) {
    this.#options = {
      joinWaitMs: options.joinWaitMs ?? JOIN_WAIT_MS,
      laggardWaitMs: options.laggardWaitMs ?? LAGGARD_WAIT_MS,
      startTimer: options.startTimer ?? startProcessTimer,
    };
  }

  /**
   * @param source should be rereadable: otherwise who comes too late, or is too slow, fails
   * @param readerCount how many will open theirs, or leave
   */
  share(source: LayerSource, readerCount: number): readonly SharedRead[] {
    const readers = Array.from({ length: readerCount }, () => new Reader(source));
    const pass = new SharedPass(source, readers, this.#options);
    return readers.map((reader) => ({
      source: reader.sourceIn(pass),
      leave: () => pass.leave(reader),
    }));
  }
}

class Reader implements PassMember {
  position = 0;
  readonly #source: LayerSource;
  #hasOpened = false;

  constructor(source: LayerSource) {
    this.#source = source;
  }

  sourceIn(pass: SharedPass): LayerSource {
    const { label, digest } = this.#source;
    return {
      label,
      ...(digest !== undefined && { digest }),
      open: (signal) => this.#open(pass, signal),
    };
  }

  async #open(pass: SharedPass, signal: AbortSignal): Promise<OpenSource> {
    const isFirst = !this.#hasOpened;
    this.#hasOpened = true;
    // Started again: what it has open still may be far behind the others.
    if (!isFirst) pass.leave(this);
    try {
      const isIn = isFirst && (await abortable(pass.join(this), signal));
      if (isIn) return new PassSource(pass, this, this.#source);
    } catch (error) {
      pass.leave(this);
      throw error;
    }
    return this.#source.open(signal);
  }
}

export function startProcessTimer(delayMs: number, run: () => void): () => void {
  const timer = setTimeout(run, delayMs);
  return () => clearTimeout(timer);
}
