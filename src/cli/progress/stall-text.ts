/** What is told of layers that stand still: on what they wait, and what to look at. */

import type { LayerEvent } from '../../index.ts';
import { formatDuration } from './quantity-format.ts';
import { printable } from './text-fit.ts';

type Stall = Extract<LayerEvent, { readonly type: 'layer-stalled' }>;

/** A network that is gone stops all parts at once: one of them is told of. */
const QUIET_MS = 5000;

const TEXT: { readonly [Waiting in Stall['waitingFor']]: string } = {
  source: 'nothing comes from the source, see what feeds it',
  preparation: 'reading and hashing stand still, see whether the disk answers',
  memory: 'no part memory becomes free, and nothing else moves',
  turn: 'no other part ends, and nothing else moves',
  rate: 'held back by the rate of calls, and nothing else moves',
  credentials: 'the AWS credentials do not come',
  worker: 'no worker thread takes it up',
  connection: 'no connection to ECR, check network and proxy',
  socket: 'the connection takes no bytes, check the network',
  predecessor: 'the part before it is not acknowledged',
  reply: 'ECR does not answer',
  call: 'ECR does not answer',
};

export class StallRemarks {
  readonly #toldAtMs = new Map<string, number>();

  /** `undefined` where there is nothing new to tell: retries and failures have texts of their own. */
  of(event: Stall, nowMs: number, layer: string = event.source): string | undefined {
    if (event.action !== 'none') return undefined;
    const { waitingFor, partIndex, operation, waitedMs } = event;
    const toldAtMs = this.#toldAtMs.get(waitingFor) ?? Number.NEGATIVE_INFINITY;
    if (nowMs - toldAtMs < QUIET_MS) return undefined;
    this.#toldAtMs.set(waitingFor, nowMs);
    const part = partIndex === undefined ? '' : ` part ${partIndex + 1}`;
    const call = operation === undefined ? '' : ` ${operation}`;
    const name = `${printable(layer)}:${part}${call}`;
    return `${name} stands still for ${formatDuration(waitedMs)}: ${TEXT[waitingFor]}`;
  }
}
