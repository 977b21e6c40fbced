/**
 * A source that nobody waits for without end. Sources are other people's code: one may give nothing for
 * hours, or hear no abort. Whoever reads is let go then; the memory that the source may still write to
 * is not, until it has settled.
 */

import { abortable } from '../abort.ts';
import type { LayerProgress } from './layer-progress.ts';
import type { LayerSource, OpenSource, SourceFile } from './layer-source.ts';
import { sourceSilent } from './source-errors.ts';

/** Longest time that a source may take to close; nothing depends on it. */
const CLOSE_MS_MAX = 5000;

export class WatchedSource implements OpenSource {
  readonly #inner: OpenSource;
  readonly #watch: SilenceWatch;
  /** Settles when the source does not touch anybody's memory any more. */
  #reading: Promise<unknown> = Promise.resolve();

  /** @throws LongshoreError E_SOURCE_UNREADABLE, after `silenceMsMax` without an answer too */
  static async open(
    source: LayerSource,
    silenceMsMax: number,
    progress: LayerProgress,
    signal: AbortSignal,
  ): Promise<WatchedSource> {
    const watch: SilenceWatch = { label: source.label, silenceMsMax, progress, signal };
    const opening = source.open(signal);
    const inner = await progress
      .during('source', undefined, () => untilSilent(opening, () => undefined, watch, signal))
      .catch((error: unknown) => {
        // Opened after all, when nobody wants it any more.
        opening.then((late) => late.close()).catch(() => undefined);
        throw error;
      });
    return new WatchedSource(inner, watch);
  }

  private constructor(inner: OpenSource, watch: SilenceWatch) {
    this.#inner = inner;
    this.#watch = watch;
  }

  get sizeBytes(): number | undefined {
    return this.#inner.sizeBytes;
  }

  get rereadable(): boolean {
    return this.#inner.rereadable;
  }

  get cheapToReread(): boolean {
    return this.#inner.cheapToReread;
  }

  get path(): string | undefined {
    return this.#inner.path;
  }

  get pathOffsetBytes(): number | undefined {
    return this.#inner.pathOffsetBytes;
  }

  get file(): SourceFile | undefined {
    return this.#inner.file;
  }

  get receivedBytes(): number | undefined {
    return this.#inner.receivedBytes;
  }

  /** Settles when the last read has, also one that nobody waits for any more. */
  get idle(): Promise<unknown> {
    return this.#reading;
  }

  async read(target: Uint8Array, firstByte: number, signal: AbortSignal): Promise<number> {
    const reading = this.#inner.read(target, firstByte, signal);
    this.#reading = reading.catch(() => undefined);
    return untilSilent(reading, () => this.#inner.receivedBytes, this.#watch, signal);
  }

  async assertUnchanged(): Promise<void> {
    const { signal } = this.#watch;
    await untilSilent(this.#inner.assertUnchanged(), () => undefined, this.#watch, signal);
  }

  async close(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, CLOSE_MS_MAX);
    });
    try {
      await Promise.race([this.#inner.close(), late]);
    } finally {
      clearTimeout(timer);
    }
  }
}

interface SilenceWatch {
  readonly label: string;
  readonly silenceMsMax: number;
  readonly progress: LayerProgress;
  readonly signal: AbortSignal;
}

/** Waits for `work`, as long as `received` changes once in a while. */
async function untilSilent<T>(
  work: Promise<T>,
  received: () => number | undefined,
  { label, silenceMsMax, progress }: SilenceWatch,
  signal: AbortSignal,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const silent = new Promise<never>((_resolve, reject) => {
    let before = received();
    timer = setTimeout(function look() {
      const now = received();
      if (now !== before) {
        before = now;
        timer = setTimeout(look, silenceMsMax);
        return;
      }
      progress.stalled({ waitingFor: 'source' }, silenceMsMax, 'failed');
      reject(sourceSilent(label, silenceMsMax));
    }, silenceMsMax);
  });
  try {
    return await abortable(Promise.race([work, silent]), signal);
  } finally {
    clearTimeout(timer);
  }
}
