import { type SessionCommand, UploadSession } from '../../src/layer/upload-session.ts';

/** A link and a registry behind it; bytes are wire bytes. */
export interface ModelLink {
  readonly roundTripMs: number;
  /** Share by which round trips and service times are longer at times, evenly drawn from 0 to this. */
  readonly jitterShare: number;
  readonly serviceMs: number;
  readonly bytesPerMsPerConnection: number;
  readonly bytesPerMsTotal: number;
  /** Preparation of one part; parts of a layer are prepared one after the other. */
  readonly preparationMs: number;
  /** Bytes of a part that its socket takes before they travel. */
  readonly socketBytes: number;
}

interface ModelPart {
  readonly index: number;
  readonly sentAtMs: number;
  /** Bytes that have not arrived. */
  leftBytes: number;
  /** When the socket had taken everything but the tail. */
  takenAtMs: number;
  arrivedAtMs: number;
  /** When the tail was released; 0 for a part that was sent whole. */
  releasedAtMs: number | undefined;
  /** When the acknowledgement comes back, once that is known. */
  acknowledgedAtMs: number | undefined;
}

export interface ModelRun {
  /** Time of each acknowledgement. */
  readonly acknowledgedAtMs: readonly number[];
  /** Window after each acknowledgement. */
  readonly windows: readonly number[];
}

/** The share of its time on the wire after which the lane believes that a part has arrived. */
const SETTLED = 1.25;

/** Less than this is nothing. */
const ROUNDING_BYTES = 0.5;

/** Sends a layer through a real session over a modelled link: a discrete-event simulation. */
export function sendOverModel(
  link: ModelLink,
  bodyBytes: number,
  partCount: number,
  windowMax: number,
  seed = 1,
): ModelRun {
  const session = new UploadSession(windowMax, 5);
  const random = seededRandom(seed);
  const stretched = (ms: number): number => ms * (1 + random() * link.jitterShare);
  const parts = new Map<number, ModelPart>();
  const acknowledgedAtMs: number[] = [];
  const windows: number[] = [];
  let window = Math.min(6, windowMax);
  let nowMs = 0;
  let added = 0;
  let preparedAtMs: number | undefined;

  const travelling = (): ModelPart[] => [...parts.values()].filter((part) => part.leftBytes > 0);
  const speed = (count: number): number =>
    Math.min(link.bytesPerMsPerConnection, link.bytesPerMsTotal / count);

  /** Whole and released: it is served. */
  const serve = (part: ModelPart): void => {
    if (part.leftBytes > 0 || part.releasedAtMs === undefined) return;
    const halfTrip = stretched(link.roundTripMs / 2);
    const wholeAtMs = Math.max(part.arrivedAtMs, part.releasedAtMs + halfTrip);
    part.acknowledgedAtMs = wholeAtMs + stretched(link.serviceMs) + stretched(link.roundTripMs / 2);
  };
  const perform = (commands: readonly SessionCommand[]): void => {
    for (const command of commands) {
      if (command.type === 'window') window = command.size;
      if (command.type === 'transmit') {
        parts.set(command.index, {
          index: command.index,
          sentAtMs: nowMs,
          leftBytes: bodyBytes,
          takenAtMs: Number.POSITIVE_INFINITY,
          arrivedAtMs: Number.POSITIVE_INFINITY,
          releasedAtMs: command.held ? undefined : nowMs,
          acknowledgedAtMs: undefined,
        });
      }
      const part = command.type === 'release' ? parts.get(command.index) : undefined;
      if (part !== undefined) {
        part.releasedAtMs = nowMs;
        serve(part);
      }
    }
  };
  const acknowledge = (part: ModelPart): void => {
    let arrivedCount = 0;
    for (;;) {
      const next = parts.get(part.index + arrivedCount + 1);
      if (next === undefined) break;
      if (nowMs < next.sentAtMs + (next.takenAtMs - next.sentAtMs) * SETTLED) break;
      arrivedCount += 1;
    }
    const wireMs = part.takenAtMs - part.sentAtMs;
    parts.delete(part.index);
    perform(
      session.acknowledged(part.index, 1, (part.index + 1) * bodyBytes - 1, {
        arrivedCount,
        wireMsPerByte: wireMs / bodyBytes,
      }),
    );
    acknowledgedAtMs.push(nowMs);
    windows.push(window);
  };

  while (acknowledgedAtMs.length < partCount) {
    if (preparedAtMs === undefined && added < partCount && session.hasRoom) {
      preparedAtMs = nowMs + link.preparationMs;
    }
    const moving = travelling();
    const bytesPerMs = speed(moving.length);
    const nextMs = Math.min(
      preparedAtMs ?? Number.POSITIVE_INFINITY,
      ...moving.map(({ leftBytes }) => nowMs + leftBytes / bytesPerMs),
      ...[...parts.values()].map((part) => part.acknowledgedAtMs ?? Number.POSITIVE_INFINITY),
    );
    if (nextMs === Number.POSITIVE_INFINITY) throw new Error('the model stands still');
    for (const part of moving) {
      part.leftBytes -= (nextMs - nowMs) * bytesPerMs;
      if (part.leftBytes <= link.socketBytes + ROUNDING_BYTES) {
        const takenAtMs = nextMs - (link.socketBytes - part.leftBytes) / bytesPerMs;
        part.takenAtMs = Math.min(part.takenAtMs, takenAtMs);
      }
      if (part.leftBytes > ROUNDING_BYTES) continue;
      part.leftBytes = 0;
      part.arrivedAtMs = nextMs + link.roundTripMs / 2;
      serve(part);
    }
    nowMs = nextMs;
    if (preparedAtMs !== undefined && preparedAtMs <= nowMs) {
      preparedAtMs = undefined;
      const firstByte = added * bodyBytes;
      added += 1;
      perform(session.add({ firstByte, endByte: firstByte + bodyBytes }));
    }
    for (const part of parts.values()) {
      if ((part.acknowledgedAtMs ?? Number.POSITIVE_INFINITY) <= nowMs) acknowledge(part);
    }
  }
  return { acknowledgedAtMs, windows };
}

/** Park and Miller's generator: the same numbers on every machine. */
function seededRandom(seed: number): () => number {
  let state = seed % 2_147_483_647;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}
