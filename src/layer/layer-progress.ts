/** Counts what one layer does and tells of it. */

import type { Digest } from '../digest.ts';
import { LongshoreError } from '../errors.ts';
import type { EventSink } from './event-sink.ts';
import type { LayerEvent, LayerName, LayerSnapshot, LayerState } from './layer-events.ts';
import type { ByteRange, RegistryFault } from './ports.ts';
import type { Movement, StallAction, WaitingFor } from './stall-watch.ts';

/** An event without the layer's name; distributes over the union. */
type Unnamed<E> = E extends LayerEvent ? Omit<E, keyof LayerName> : never;

/** Where `snapshot` and the stall watch find what is on the wire at the moment of asking. */
export interface WireGauge {
  readonly movements: readonly Movement[];
  readonly onWire: { readonly partsInFlight: number; readonly wiredBytes: number };
}

/** What all layers of an uploader add up to. */
export interface UploadTotals {
  acceptedBytes: number;
  resentBytes: number;
}

export class LayerProgress {
  readonly name: LayerName;
  state: LayerState = 'waiting';
  digest: Digest | undefined;
  sizeBytes: number | undefined;
  gauge: WireGauge | undefined;
  /** One double: bytes hashed before sending; written by a worker. */
  readonly hashedCounter: SharedArrayBuffer = new SharedArrayBuffer(8);
  readonly #sink: EventSink<LayerEvent>;
  readonly #totals: UploadTotals;
  #acceptedBytes = 0;
  /** Of the accepted bytes those that an earlier process sent. */
  #resumedBytes = 0;
  /** What is waited for beside the parts, each with a number of its own. */
  readonly #waits = new Map<number, { waitingFor: WaitingFor; operation: string | undefined }>();
  #waitCount = 0;
  #retryCount = 0;

  constructor(name: LayerName, totals: UploadTotals, sink: EventSink<LayerEvent>) {
    this.name = name;
    this.#totals = totals;
    this.#sink = sink;
  }

  emit(event: Unnamed<LayerEvent>): void {
    this.#sink.emit({ ...this.name, ...event });
  }

  partAcknowledged(
    partIndex: number,
    range: ByteRange,
    attemptCount: number,
    durationMs: number,
  ): void {
    const lengthBytes = range.endByte - range.firstByte;
    this.#acceptedBytes += lengthBytes;
    this.#totals.acceptedBytes += lengthBytes;
    this.emit({
      type: 'part-acknowledged',
      partIndex,
      firstByte: range.firstByte,
      endByte: range.endByte,
      attemptCount,
      durationMs,
    });
  }

  /** Everything of the layer that should move. */
  get movements(): readonly Movement[] {
    const mark = `${this.#retryCount} ${this.#hashedBytes}`;
    const waits = [...this.#waits].map(([number, { waitingFor, operation }]) => ({
      key: `wait ${number}`,
      waitingFor,
      ...(operation !== undefined && { operation }),
      mark,
    }));
    return [...waits, ...(this.gauge?.movements ?? [])];
  }

  /** Notes what is waited for as long as `work` lasts. @param operation of a call */
  async during<T>(
    waitingFor: WaitingFor,
    operation: string | undefined,
    work: () => Promise<T>,
  ): Promise<T> {
    this.#waitCount += 1;
    const number = this.#waitCount;
    this.#waits.set(number, { waitingFor, operation });
    try {
      return await work();
    } finally {
      this.#waits.delete(number);
    }
  }

  /** Something does not move. */
  stalled(
    what: Pick<Movement, 'waitingFor' | 'partIndex' | 'operation'>,
    waitedMs: number,
    action: StallAction,
  ): void {
    const { waitingFor, partIndex, operation } = what;
    this.emit({
      type: 'layer-stalled',
      ...(partIndex !== undefined && { partIndex }),
      ...(operation !== undefined && { operation }),
      waitingFor,
      waitedMs: Math.round(waitedMs),
      action,
    });
  }

  /**
   * @param partIndex the part, where the call carries one
   * @param waitingFor what the part waited for, where it was given up for that
   */
  callRetried(
    operation: string,
    fault: RegistryFault,
    attempt: number,
    delayMs: number,
    partIndex?: number,
    waitingFor: WaitingFor = 'call',
  ): void {
    this.#retryCount += 1;
    if (LongshoreError.is(fault.error, 'E_TIMEOUT')) {
      const what = partIndex === undefined ? { operation } : { partIndex };
      this.stalled({ ...what, waitingFor }, fault.error.details.waitedMs, 'new-connection');
    }
    this.emit({
      type: 'call-retried',
      operation,
      ...(partIndex !== undefined && { partIndex }),
      attempt,
      delayMs,
      code: fault.error.code,
      message: fault.error.message,
    });
  }

  resent(lengthBytes: number): void {
    this.#totals.resentBytes += lengthBytes;
  }

  windowChanged(partsInFlight: number): void {
    this.emit({ type: 'window-changed', partsInFlight });
  }

  /** The upload of an earlier process goes on behind these bytes. */
  resumed(uploadId: string, resumedBytes: number): void {
    this.#acceptedBytes = resumedBytes;
    this.#resumedBytes = resumedBytes;
    this.emit({ type: 'layer-resumed', uploadId, resumedBytes });
  }

  /** The layer starts again from its first byte. */
  restarted(): void {
    this.#totals.resentBytes += this.#acceptedBytes - this.#resumedBytes;
    this.#acceptedBytes = 0;
    this.#resumedBytes = 0;
    this.gauge = undefined;
  }

  get #hashedBytes(): number {
    return new Float64Array(this.hashedCounter)[0] ?? 0;
  }

  snapshot(): LayerSnapshot {
    const onWire = this.gauge?.onWire;
    return {
      ...this.name,
      state: this.state,
      digest: this.digest,
      sizeBytes: this.sizeBytes,
      hashedBytes: this.#hashedBytes,
      acceptedBytes: this.#acceptedBytes,
      wiredBytes: Math.max(this.#acceptedBytes, onWire?.wiredBytes ?? 0),
      partsInFlight: onWire?.partsInFlight ?? 0,
    };
  }
}
