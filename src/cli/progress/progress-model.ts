/** Turns the uploader's snapshot and events into rows, without knowing where they are shown. */

import type {
  Digest,
  ImageEvent,
  LayerName,
  LayerSnapshot,
  UploaderSnapshot,
  VerificationEvent,
} from '../../index.ts';
import { type ExpectedLayer, type LayerEnd, LayerLedger } from './layer-ledger.ts';
import { movedBytesOf, rowOfEntry, rowOfLayer } from './layer-row.ts';
import { omissionText, retriesText } from './omission-text.ts';
import type { ProgressRow } from './progress-row.ts';
import { countText } from './quantity-format.ts';
import { RateMeter, secondsLeft } from './rate-meter.ts';
import { columnsOf } from './text-fit.ts';

/** All that there is progress of. */
export type ProgressEvent = ImageEvent | VerificationEvent;

export interface ProgressView {
  readonly total: ProgressRow;
  /** At most as many as asked for. */
  readonly layers: readonly ProgressRow[];
  /** What the rows leave out, in words; empty if nothing. */
  readonly omitted: string;
  /** How many calls were made again, in words; empty if none. */
  readonly retries: string;
  /** That the labels of all rows, also of later ones, would like to have. */
  readonly labelColumns: number;
}

const ENDED_WELL: readonly LayerEnd[] = ['uploaded', 'present', 'foreign', 'verified'];

/** Of layer files it shows those under way; of an image all layers, as long as there is room. */
export class ProgressModel {
  readonly #ledger = new LayerLedger();
  readonly #isImage: boolean;
  readonly #meters = new Map<number, RateMeter>();
  readonly #totalMeter = new RateMeter();
  readonly #widestLabel: number;
  /** Of layers that began with a digest which the plan knows. */
  readonly #digests = new Map<number, Digest>();
  /** Of layers whose first bytes an earlier run has sent. */
  readonly #resumedBytes = new Map<number, number>();
  /** What an image has is known once it is planned. */
  #isPlanned: boolean;
  #compressedBytes = 0;
  #manifestsLeft = 0;
  #retryCount = 0;
  #throttledCount = 0;

  /** @param expected `undefined` for an image: its events will tell */
  constructor(expected: readonly ExpectedLayer[] | undefined) {
    this.#isImage = expected === undefined;
    this.#isPlanned = expected !== undefined;
    this.#ledger.expectLayers(expected ?? []);
    this.#widestLabel = Math.max(0, ...(expected ?? []).map(({ label }) => columnsOf(label)));
  }

  record(event: ProgressEvent): void {
    switch (event.type) {
      case 'layer-started':
        if (event.digest !== undefined) this.#digests.set(event.layerId, event.digest);
        break;
      case 'layer-completed': {
        const { digest, sizeBytes, sentBytes, outcome } = event.receipt;
        const end = outcome === 'uploaded' ? 'uploaded' : 'present';
        const key = this.#ledger.has(digest) ? digest : event.source;
        this.#ledger.settle(key, end, sizeBytes, sentBytes);
        break;
      }
      case 'layer-resumed':
        this.#resumedBytes.set(event.layerId, event.resumedBytes);
        break;
      case 'layer-failed':
        this.#fail(event, event.code === 'ABORTED' ? 'left out' : 'failed');
        break;
      case 'call-retried':
      case 'image-call-retried':
        this.#retryCount += 1;
        if (event.code === 'E_THROTTLED') this.#throttledCount += 1;
        break;
      case 'layer-compressed':
        this.#compressedBytes += event.uncompressedSizeBytes;
        break;
      case 'image-planned':
        this.#isPlanned = true;
        this.#ledger.expectBlobs(event.plan.blobs);
        this.#manifestsLeft = event.plan.manifests.filter(({ action }) => action === 'put').length;
        break;
      case 'manifest-put':
        this.#manifestsLeft = Math.max(0, this.#manifestsLeft - 1);
        break;
      case 'verification-started':
        this.#isPlanned = true;
        this.#ledger.expectNameless(event.blobCount, event.sizeBytes);
        break;
      case 'blob-verified':
        this.#ledger.settleNameless('verified', event.sizeBytes);
        break;
      default:
    }
  }

  /** @param layersMax rows there is room for, the total's not counted */
  view(snapshot: UploaderSnapshot, nowMs: number, layersMax: number): ProgressView {
    const active = snapshot.layers.filter(({ state }) => state !== 'waiting');
    this.#forgetEnded(active);
    const rows = active.map((layer) => this.#rowOf(layer, nowMs));
    const total = this.#totalRow(active, nowMs);
    const all = this.#isImage ? this.#allRows(active, rows) : rows;
    const retries = retriesText(this.#retryCount, this.#throttledCount);
    const fits = all.length + (retries === '' ? 0 : 1) <= layersMax;
    const shownMax = Math.max(0, layersMax - 1);
    const shown = fits ? all : rows.slice(0, shownMax);
    const omitted = fits ? '' : this.#omittedText(active.length, rows.length - shown.length);
    return {
      total,
      layers: shown,
      omitted,
      retries,
      labelColumns: this.#labelColumns([total, ...shown]),
    };
  }

  /** What a layer is called in its row, and wherever else it is told of. */
  nameOf({ layerId, source }: LayerName): string {
    return this.#ledger.labelOf(this.#digests.get(layerId)) ?? source;
  }

  #fail({ layerId, source }: LayerName, end: LayerEnd): void {
    const digest = this.#digests.get(layerId);
    const key = digest !== undefined && this.#ledger.has(digest) ? digest : source;
    this.#ledger.settle(key, end, 0, 0);
  }

  #forgetEnded(active: readonly LayerSnapshot[]): void {
    const ids = new Set(active.map(({ layerId }) => layerId));
    for (const layerId of this.#meters.keys()) if (!ids.has(layerId)) this.#meters.delete(layerId);
  }

  /** In the order of the plan, so that no row moves; first what the plan knows nothing of. */
  #allRows(active: readonly LayerSnapshot[], rows: readonly ProgressRow[]): ProgressRow[] {
    const rowOfDigest = new Map<string, ProgressRow>();
    const others: ProgressRow[] = [];
    for (const [index, row] of rows.entries()) {
      const digest = active[index]?.digest;
      if (digest !== undefined && this.#ledger.has(digest)) rowOfDigest.set(digest, row);
      else others.push(row);
    }
    const planned = this.#ledger.entries.map((entry) => [entry.key, rowOfEntry(entry)] as const);
    return [...others, ...planned.map(([key, row]) => rowOfDigest.get(key) ?? row)];
  }

  #rowOf(layer: LayerSnapshot, nowMs: number): ProgressRow {
    const meter = this.#meters.get(layer.layerId) ?? new RateMeter();
    this.#meters.set(layer.layerId, meter);
    const label = this.#ledger.labelOf(layer.digest) ?? layer.source;
    return rowOfLayer(layer, label, meter.measure(nowMs, movedBytesOf(layer)));
  }

  #totalRow(active: readonly LayerSnapshot[], nowMs: number): ProgressRow {
    const { count, expectedBytes: sizeBytes, finishedBytes, sentBytes } = this.#ledger;
    let acceptedBytes = finishedBytes;
    let wiredBytes = finishedBytes;
    let movedBytes = sentBytes;
    for (const layer of active) {
      acceptedBytes += layer.acceptedBytes;
      wiredBytes += Math.max(layer.wiredBytes, layer.acceptedBytes);
      // What another run has sent tells nothing of this one's speed.
      movedBytes += layer.wiredBytes - (this.#resumedBytes.get(layer.layerId) ?? 0);
    }
    if (!this.#isPlanned) return this.#preparingRow(active, nowMs);
    const bytesPerSecond = this.#totalMeter.measure(nowMs, movedBytes);
    const noun = this.#isImage ? 'blobs' : 'layers';
    return {
      label: `${this.#ledger.countOf(...ENDED_WELL)}/${count} ${noun}`,
      state: this.#totalState(active.length),
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

  /** Before it is known what there is to move; mostly compression takes its time then. */
  #preparingRow(active: readonly LayerSnapshot[], nowMs: number): ProgressRow {
    const readBytes = active.reduce((sum, layer) => sum + layer.hashedBytes, this.#compressedBytes);
    return {
      label: 'preparing',
      state: '',
      tone: readBytes === 0 ? 'skipped' : 'total',
      doneBytes: readBytes,
      wiredBytes: readBytes,
      sizeBytes: undefined,
      bytesPerSecond: readBytes === 0 ? undefined : this.#totalMeter.measure(nowMs, readBytes),
      secondsLeft: undefined,
    };
  }

  #totalState(activeCount: number): string {
    const failedCount = this.#ledger.countOf('failed');
    if (failedCount > 0) return `${failedCount} failed`;
    const leftCount = this.#ledger.count - this.#ledger.endedCount;
    if (this.#isImage) {
      if (leftCount > 0) return `${leftCount} left`;
      return this.#manifestsLeft > 0 ? 'manifests' : '';
    }
    return countText(Math.max(0, leftCount - activeCount), 'waiting');
  }

  #omittedText(activeCount: number, omittedCount: number): string {
    if (!this.#isImage) return `and ${omittedCount} more under way`;
    return omissionText(this.#ledger, activeCount, omittedCount);
  }

  #labelColumns(rows: readonly ProgressRow[]): number {
    const { count } = this.#ledger;
    const total = columnsOf(`${count}/${count} ${this.#isImage ? 'blobs' : 'layers'}`);
    const shown = this.#isImage ? rows.map(({ label }) => columnsOf(label)) : [];
    return Math.max(total, this.#widestLabel, ...shown);
  }
}
