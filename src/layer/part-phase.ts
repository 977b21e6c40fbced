/** What a part on its way waits for: a number in its shared memory, written by whoever has it at the time. */

/** In the order in which an attempt comes by. */
const PHASES = [
  /** Its operation's rate. */
  'rate',
  /** The AWS SDK, which signs it with credentials that may have to be fetched. */
  'credentials',
  /** A thread that begins with it. */
  'worker',
  /** A connection, TLS included. */
  'connection',
  /** The socket, which is to take its bytes. */
  'socket',
  /** The part before it: all but its tail is sent. */
  'predecessor',
  /** The registry's answer. */
  'reply',
] as const;

export type PartPhase = (typeof PHASES)[number];

/** Where it is in the memory's header, behind the progress counter and its times. */
const OFFSET_BYTES = 12;

export function readPhase(shared: SharedArrayBuffer): PartPhase {
  return PHASES[Atomics.load(new Uint32Array(shared, OFFSET_BYTES, 1), 0)] ?? 'rate';
}

export function writePhase(shared: SharedArrayBuffer, phase: PartPhase): void {
  Atomics.store(new Uint32Array(shared, OFFSET_BYTES, 1), 0, PHASES.indexOf(phase));
}
