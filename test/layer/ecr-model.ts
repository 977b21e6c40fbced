import type { ByteRange } from '../../src/layer/ports.ts';

/** A part request as the session commanded it. */
export interface PartRequest {
  readonly index: number;
  readonly attempt: number;
  readonly held: boolean;
  readonly range: ByteRange;
}

export type Answer =
  | { readonly type: 'acknowledged'; readonly lastByte: number }
  | { readonly type: 'out-of-order'; readonly nextByte: number }
  | { readonly type: 'lost' };

/** A request under way, and the answer to it once the registry has seen it whole. */
export interface Wire {
  readonly request: PartRequest;
  tailHeld: boolean;
  answer: Answer | undefined;
}

/** ECR's rule, in a few lines: the parts of an upload are consecutive, or refused. */
export class EcrModel {
  readonly committed: ByteRange[] = [];
  /** Requests that were refused because they came too early. */
  refusedAheadCount = 0;
  readonly #wires: Wire[] = [];
  /** Requests whose client has given up, but which may still arrive. */
  readonly #ghosts: PartRequest[] = [];
  #nextByte = 0;

  get wires(): readonly Wire[] {
    return this.#wires;
  }

  send(request: PartRequest): void {
    this.#wires.push({ request, tailHeld: request.held, answer: undefined });
  }

  release(index: number): void {
    for (const wire of this.#wires) if (wire.request.index === index) wire.tailHeld = false;
  }

  /** The client gives up: an unfinished request will never be whole. */
  cut(index: number): void {
    const position = this.#wires.findIndex(({ request }) => request.index === index);
    if (position >= 0) this.#wires.splice(position, 1);
  }

  /** One request, the client's or a ghost, arrives whole. */
  arrive(pick: number): void {
    const whole = this.#wires.filter(({ tailHeld, answer }) => !tailHeld && answer === undefined);
    const ghost = this.#ghosts[pick % Math.max(this.#ghosts.length, 1)];
    if (ghost !== undefined && pick % 2 === 1) {
      this.#ghosts.splice(this.#ghosts.indexOf(ghost), 1);
      this.#commit(ghost);
      return;
    }
    const wire = whole[pick % Math.max(whole.length, 1)];
    if (wire !== undefined) wire.answer = this.#commit(wire.request);
  }

  take(wire: Wire): Wire {
    this.#wires.splice(this.#wires.indexOf(wire), 1);
    return wire;
  }

  /** The answer, or the request itself if it is whole, is lost; a whole one may arrive later. */
  lose(wire: Wire, arrivesLater: boolean): Wire {
    this.take(wire);
    if (!wire.tailHeld && wire.answer === undefined && arrivesLater)
      this.#ghosts.push(wire.request);
    return { ...wire, answer: { type: 'lost' } };
  }

  holds({ endByte }: ByteRange): boolean {
    return this.#nextByte >= endByte;
  }

  #commit({ range }: PartRequest): Answer {
    if (range.firstByte !== this.#nextByte) {
      if (range.firstByte > this.#nextByte) this.refusedAheadCount += 1;
      return { type: 'out-of-order', nextByte: this.#nextByte };
    }
    this.committed.push(range);
    this.#nextByte = range.endByte;
    return { type: 'acknowledged', lastByte: range.endByte - 1 };
  }
}
