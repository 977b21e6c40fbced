/** What can be seen of parts that are on the wire. */

import type { WireGauge } from './layer-progress.ts';
import { type LivePart, wiredLayerBytes } from './live-part.ts';
import { readWiredBytes } from './part-memory.ts';
import { readPhase } from './part-phase.ts';
import type { PreparedPart } from './ports.ts';
import type { Movement, WaitingFor } from './stall-watch.ts';

/** What the next part of a layer waits for before it can be sent. */
export interface PreparationWait {
  readonly partIndex: number;
  readonly waitingFor: WaitingFor;
}

/** The one part that is sent to find out where the registry is. */
export function partGauge(
  reached: { readonly endByte: number; readonly partCount: number },
  part: PreparedPart,
): WireGauge {
  return {
    get onWire() {
      return { partsInFlight: 1, wiredBytes: reached.endByte };
    },
    get movements() {
      return [movementOf(reached.partCount, 0, part)];
    },
  };
}

/** Layer bytes that sockets took of parts that are not committed yet. */
export function wiredBytesOf(live: ReadonlyMap<number, LivePart>): number {
  let wiredBytes = 0;
  for (const part of live.values()) wiredBytes += wiredLayerBytes(part);
  return wiredBytes;
}

/** @param receivedBytes what the source has given so far, where it tells */
export function movementsOf(
  live: ReadonlyMap<number, LivePart>,
  preparing: PreparationWait | undefined,
  receivedBytes: number | undefined,
): Movement[] {
  const movements: Movement[] = [];
  for (const [index, { cancel, sentAtMs, prepared }] of live) {
    if (cancel !== undefined) movements.push(movementOf(index, sentAtMs, prepared));
  }
  if (preparing !== undefined) {
    const { partIndex, waitingFor } = preparing;
    const mark = `${partIndex} ${receivedBytes}`;
    movements.push({ key: 'preparation', waitingFor, partIndex, mark });
  }
  return movements;
}

function movementOf(partIndex: number, sentAtMs: number, { shared }: PreparedPart): Movement {
  const mark = `${sentAtMs} ${readWiredBytes(shared)}`;
  return { key: `part ${partIndex}`, waitingFor: readPhase(shared), partIndex, mark };
}
