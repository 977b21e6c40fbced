/** What is told of layers that go on where an earlier run stopped, or cannot. */

import type { LayerEvent } from '../../index.ts';
import { formatBytes } from './quantity-format.ts';
import { printable } from './text-fit.ts';

type EventOf<Type extends LayerEvent['type']> = Extract<LayerEvent, { readonly type: Type }>;

export function describeResumption(
  { source, resumedBytes }: EventOf<'layer-resumed'>,
  layer: string = source,
): string {
  return `${printable(layer)}: resumed, ${formatBytes(resumedBytes)} were sent before`;
}

/** A folder that cannot be written to is the same for all layers: it is told once. */
export class JournalRemarks {
  #isUnwritableTold = false;

  /** `undefined` where there is nothing new to tell. */
  of({ source, reason, message }: EventOf<'journal-unusable'>): string | undefined {
    if (reason !== 'unwritable')
      return `${printable(source)}: cannot resume, ${printable(message)}`;
    if (this.#isUnwritableTold) return undefined;
    this.#isUnwritableTold = true;
    return `${printable(message)} (--no-resume: keep none)`;
  }
}
