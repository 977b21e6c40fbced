/** The row of one layer: of one under way by its snapshot, of another one by how it ended. */

import type { LayerSnapshot, LayerState } from '../../index.ts';
import type { LayerEnd, LedgerEntry } from './layer-ledger.ts';
import type { ProgressRow, RowTone } from './progress-row.ts';
import { secondsLeft } from './rate-meter.ts';

const TONE: { readonly [State in LayerState]: RowTone } = {
  waiting: 'waiting',
  compressing: 'preparing',
  hashing: 'preparing',
  checking: 'preparing',
  sending: 'moving',
  completing: 'moving',
};
const SKIPPED: readonly (LayerEnd | undefined)[] = ['present', 'foreign'];
const STATE: { readonly [End in LayerEnd]: string } = {
  uploaded: 'done',
  verified: 'done',
  present: 'present',
  foreign: 'foreign',
  failed: 'failed',
  'left out': 'left out',
};

/** Bytes that tell how fast a layer gets on: read while it is prepared, sent after that. */
export function movedBytesOf(layer: LayerSnapshot): number {
  return isRead(layer) ? layer.hashedBytes : layer.wiredBytes;
}

export function rowOfLayer(
  layer: LayerSnapshot,
  label: string,
  bytesPerSecond: number | undefined,
): ProgressRow {
  const { state, sizeBytes, hashedBytes, acceptedBytes, wiredBytes } = layer;
  const leftBytes = sizeBytes === undefined ? undefined : sizeBytes - movedBytesOf(layer);
  return {
    label,
    state,
    tone: TONE[state],
    doneBytes: isRead(layer) ? hashedBytes : acceptedBytes,
    wiredBytes: isRead(layer) ? hashedBytes : Math.max(wiredBytes, acceptedBytes),
    sizeBytes,
    bytesPerSecond: state === 'checking' ? undefined : bytesPerSecond,
    secondsLeft: secondsLeft(leftBytes, bytesPerSecond),
  };
}

export function rowOfEntry({ label, sizeBytes, end }: LedgerEntry): ProgressRow {
  const doneBytes = end === 'uploaded' || end === 'verified' ? (sizeBytes ?? 0) : 0;
  const tone = SKIPPED.includes(end) ? 'skipped' : end === undefined ? 'waiting' : 'ended';
  return {
    label,
    state: end === undefined ? 'waiting' : STATE[end],
    tone,
    doneBytes,
    wiredBytes: doneBytes,
    sizeBytes,
    bytesPerSecond: undefined,
    secondsLeft: undefined,
  };
}

function isRead({ state }: LayerSnapshot): boolean {
  return state === 'hashing' || state === 'compressing';
}
