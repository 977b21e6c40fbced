/** Turns the uploader's snapshot and events into rows, without knowing where they are shown. */

import type { LayerEvent, LayerSnapshot, LayerState, UploaderSnapshot } from '../../index.ts';
import type { ProgressRow, RowTone } from './progress-row.ts';
import { RateMeter, secondsLeft } from './rate-meter.ts';

/** A layer that was asked for. */
export interface ExpectedLayer {
  readonly label: string;
  /** `undefined` for a stream, or a file that cannot be looked at. */
  readonly sizeBytes: number | undefined;
}

export interface ProgressView {
  readonly total: ProgressRow;
  /** Layers under way, at most as many as asked for. */
  readonly layers: readonly ProgressRow[];
  /** What the rows leave out, in words; empty if nothing. */
  readonly omitted: string;
}

const TONE: { readonly [State in LayerState]: RowTone } = {
  waiting: 'waiting',
  compressing: 'preparing',
  hashing: 'preparing',
  checking: 'preparing',
  sending: 'moving',
  completing: 'moving',
};

export class ProgressModel {
  readonly #layerCount: number;
  readonly #meters = new Map<number, RateMeter>();
  readonly #totalMeter = new RateMeter();
  readonly #sizeOfLabel = new Map<string, number>();
  #expectedBytes = 0;
  #unknownCount = 0;
  #finishedCount = 0;
  #failedCount = 0;
  #leftOutCount = 0;
  /** Of layers that ended well, those that were there before included. */
  #finishedBytes = 0;
  /** That went over the wire for layers that ended well. */
  #sentBytes = 0;

  constructor(expected: readonly ExpectedLayer[]) {
    this.#layerCount = expected.length;
    for (const layer of expected) {
      if (layer.sizeBytes === undefined) {
        this.#unknownCount += 1;
        continue;
      }
      this.#expectedBytes += layer.sizeBytes;
      this.#sizeOfLabel.set(layer.label, layer.sizeBytes);
    }
  }

  record(event: LayerEvent): void {
    if (event.type === 'layer-completed') {
      const { sizeBytes, sentBytes } = event.receipt;
      this.#finishedCount += 1;
      this.#finishedBytes += sizeBytes;
      this.#sentBytes += sentBytes;
      this.#forget(event, sizeBytes);
    } else if (event.type === 'layer-failed') {
      if (event.code === 'ABORTED') this.#leftOutCount += 1;
      else this.#failedCount += 1;
      this.#forget(event, 0);
    }
  }

  /** @param layersMax rows there is room for, the total's not counted */
  view(snapshot: UploaderSnapshot, nowMs: number, layersMax: number): ProgressView {
    const active = snapshot.layers.filter((layer) => layer.state !== 'waiting');
    const endedCount = this.#finishedCount + this.#failedCount + this.#leftOutCount;
    const waitingCount = Math.max(0, this.#layerCount - endedCount - active.length);
    const needsNote = active.length > layersMax;
    const shown = active.slice(0, needsNote ? Math.max(0, layersMax - 1) : layersMax);
    const layers = active.map((layer) => this.#rowOf(layer, nowMs));
    return {
      total: this.#totalRow(active, nowMs, waitingCount),
      layers: layers.slice(0, shown.length),
      omitted: needsNote ? `and ${active.length - shown.length} more under way` : '',
    };
  }

  #rowOf(layer: LayerSnapshot, nowMs: number): ProgressRow {
    const meter = this.#meters.get(layer.layerId) ?? new RateMeter();
    this.#meters.set(layer.layerId, meter);
    const hashing = layer.state === 'hashing';
    const movedBytes = hashing ? layer.hashedBytes : layer.wiredBytes;
    const bytesPerSecond = meter.measure(nowMs, movedBytes);
    const leftBytes = layer.sizeBytes === undefined ? undefined : layer.sizeBytes - movedBytes;
    return {
      label: layer.source,
      state: layer.state,
      tone: TONE[layer.state],
      doneBytes: hashing ? layer.hashedBytes : layer.acceptedBytes,
      wiredBytes: hashing ? layer.hashedBytes : Math.max(layer.wiredBytes, layer.acceptedBytes),
      sizeBytes: layer.sizeBytes,
      bytesPerSecond: layer.state === 'checking' ? undefined : bytesPerSecond,
      secondsLeft: secondsLeft(leftBytes, bytesPerSecond),
    };
  }

  #totalRow(active: readonly LayerSnapshot[], nowMs: number, waitingCount: number): ProgressRow {
    let acceptedBytes = this.#finishedBytes;
    let wiredBytes = this.#finishedBytes;
    let movedBytes = this.#sentBytes;
    for (const layer of active) {
      acceptedBytes += layer.acceptedBytes;
      wiredBytes += Math.max(layer.wiredBytes, layer.acceptedBytes);
      movedBytes += layer.wiredBytes;
    }
    const sizeBytes = this.#unknownCount > 0 ? undefined : this.#expectedBytes;
    const bytesPerSecond = this.#totalMeter.measure(nowMs, movedBytes);
    return {
      label: `${this.#finishedCount}/${this.#layerCount} layers`,
      state: this.#failedCount > 0 ? `${this.#failedCount} failed` : waitingText(waitingCount),
      tone: 'total',
      doneBytes: acceptedBytes,
      wiredBytes,
      sizeBytes,
      bytesPerSecond,
      secondsLeft: secondsLeft(
        sizeBytes === undefined ? undefined : sizeBytes - wiredBytes,
        bytesPerSecond,
      ),
    };
  }

  /** Replaces what was expected of a layer by what it came to. */
  #forget(event: LayerEvent, actualBytes: number): void {
    this.#meters.delete(event.layerId);
    const expected = this.#sizeOfLabel.get(event.source);
    if (expected === undefined) {
      this.#unknownCount = Math.max(0, this.#unknownCount - 1);
      this.#expectedBytes += actualBytes;
    } else {
      this.#expectedBytes += actualBytes - expected;
    }
  }
}

function waitingText(count: number): string {
  return count === 0 ? '' : `${count} waiting`;
}
