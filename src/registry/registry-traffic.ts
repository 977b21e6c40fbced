/** All that one client asks of its registry: how much at once, when not at all, and how much it was. */

import { optionInvalid } from '../errors.ts';
import { rateNoticeOf, type RateNotice } from './rate-notice.ts';
import { ReadMarks } from './read-marks.ts';
import { ReadFault } from './read-fault.ts';
import { durationText, RequestPause } from './request-pause.ts';
import { type Download, REQUESTS_IN_FLIGHT, RequestPermits } from './request-permits.ts';
import type { Surroundings } from './surroundings.ts';
import type { HttpReply } from './transport.ts';

export interface PauseNotice {
  /** As references have it. */
  readonly registry: string;
  readonly resumesInMs: number;
  readonly message: string;
}

export interface TrafficOptions {
  /** Requests at once, downloads included, 1..256. Default 32. */
  readonly requestsInFlight?: number;
  /** Longest pause that is waited for, 0..86,400,000. Default 3,600,000. */
  readonly pauseMsMax?: number;
  readonly onPause?: (notice: PauseNotice) => void;
}

/** `look` asks for a manifest without its bytes; `pull` for a manifest, which is what some count. */
export type RequestKind = 'look' | 'pull' | 'download' | 'list';

/** A request that may be made now. */
export interface Passage {
  /** Before each further message of the same request. @throws ReadFault; the signal's reason */
  again(signal: AbortSignal): Promise<void>;
  answered(reply: HttpReply): void;
  /** @returns whether the request is to be made again; then a pause is waited for first */
  failed(error: unknown): boolean;
  /** Idempotent. */
  leave(): void;
}

const PAUSE_MS_MAX = { max: 86_400_000, byDefault: 3_600_000 };
/** Where a registry does not say how long: doubled each time in a row. */
const PAUSE_MS_FIRST = 1000;
const PAUSE_MS_LONGEST = 60_000;
/** Where a budget is used up, and nobody says when there will be more: windows often slide. */
const BUDGET_PAUSE_MS = 300_000;
/** What a pause must be longer than before for anybody to be told again. */
const PAUSE_TOLD_MS_MIN = 1000;

export class RegistryTraffic {
  readonly #registry: string;
  readonly #surroundings: Surroundings;
  readonly #onPause: (notice: PauseNotice) => void;
  readonly #permits: RequestPermits;
  readonly #pause: RequestPause;
  /** By kind; only those that a budget has ended for. */
  readonly #budgets: Readonly<Record<RequestKind, RequestPause>>;
  readonly #marks = new ReadMarks();
  #requestCount = 0;
  #pausedMs = 0;
  #pausedUntilMs = 0;

  /** @throws LongshoreError E_OPTION_INVALID */
  constructor(registry: string, options: TrafficOptions, surroundings: Surroundings) {
    const { onPause = () => undefined } = options;
    const requestsInFlight = checked('requestsInFlight', options, 1, REQUESTS_IN_FLIGHT);
    const pauseMsMax = checked('pauseMsMax', options, 0, PAUSE_MS_MAX);
    const newPause = (): RequestPause => new RequestPause(pauseMsMax, surroundings);
    this.#registry = registry;
    this.#surroundings = surroundings;
    this.#onPause = onPause;
    this.#permits = new RequestPermits(requestsInFlight, surroundings);
    this.#pause = newPause();
    this.#budgets = { look: newPause(), pull: newPause(), download: newPause(), list: newPause() };
  }

  get usage(): {
    readonly requestCount: number;
    readonly blobBytes: number;
    readonly duplicateBlobBytes: number;
    readonly pausedMs: number;
  } {
    return {
      requestCount: this.#requestCount,
      blobBytes: this.#marks.bytes,
      duplicateBlobBytes: this.#marks.duplicateBytes,
      // What is still to come of a pause does not count yet.
      pausedMs: this.#pausedMs - Math.max(0, this.#pausedUntilMs - this.#surroundings.now()),
    };
  }

  /** Bytes of blobs, as they arrive. */
  get marks(): ReadMarks {
    return this.#marks;
  }

  /** For every message that leaves, those to token services and storages included. */
  sent(): void {
    this.#requestCount += 1;
  }

  /** Waits until the request may be made. @throws ReadFault if that is too long; the signal's reason */
  async enter(
    kind: RequestKind,
    download: Download | undefined,
    signal: AbortSignal,
  ): Promise<Passage> {
    const pauses = [this.#pause, this.#budgets[kind]];
    const probes = new Set<RequestPause>();
    const isOn = (): boolean => pauses.some((pause) => pause.isOn(probes.has(pause)));
    const elapsed = async (until: AbortSignal): Promise<void> => {
      // One may begin while another is waited for.
      while (isOn()) {
        for (const pause of pauses) await pause.elapsed(probes.has(pause), until);
      }
    };
    const claimProbes = (): void => {
      for (const pause of pauses) {
        if (!probes.has(pause) && pause.claimProbe()) probes.add(pause);
      }
    };
    const endProbes = (isOver: boolean): void => {
      for (const pause of probes) pause.probed(isOver);
      probes.clear();
    };
    // Without a permit: pulls that wait for hours must leave some to looks. And who looks whether a pause is
    // over has a permit already, so that nobody with a permit waits for somebody without.
    let giveBack: () => void;
    for (;;) {
      await elapsed(signal);
      giveBack = await this.#permits.take(download, signal);
      if (!isOn()) break;
      giveBack();
    }
    claimProbes();
    return {
      again: async (until) => {
        await elapsed(until);
        claimProbes();
      },
      answered: (reply) => {
        endProbes(true);
        this.#noteBudget(kind, rateNoticeOf(reply));
      },
      failed: (error) => {
        const isRefused = this.#noteRefusal(error);
        const isAnswer = error instanceof ReadFault && error.facts.httpStatus !== undefined;
        endProbes(isAnswer && !isRefused);
        return isRefused;
      },
      leave: () => {
        endProbes(false);
        giveBack();
      },
    };
  }

  #noteRefusal(error: unknown): boolean {
    if (!(error instanceof ReadFault) || error.kind !== 'transient') return false;
    const { httpStatus, retryAfterMs, rate = {} } = error.facts;
    if (httpStatus !== 429 && retryAfterMs === undefined) return false;
    const doubledMs = PAUSE_MS_FIRST * 2 ** Math.min(this.#pause.count, 30);
    const guessedMs = budgetPauseMs(rate) ?? Math.min(doubledMs, PAUSE_MS_LONGEST);
    this.#begin(this.#pause, Math.max(retryAfterMs ?? guessedMs, PAUSE_MS_FIRST), error.message);
    return true;
  }

  /** A look is free where pulls are counted, and tells what is left of them. */
  #noteBudget(kind: RequestKind, rate: RateNotice): void {
    const pauseMs = budgetPauseMs(rate);
    if (pauseMs === undefined) return;
    const { limit, windowMs } = rate;
    const counted = kind === 'look' ? 'pull' : kind;
    const of = limit === undefined ? '' : ` of ${limit}`;
    const within = windowMs === undefined ? '' : ` in ${durationText(windowMs)}`;
    const what = counted === 'pull' ? 'manifests' : 'requests of this kind';
    this.#begin(this.#budgets[counted], pauseMs, `the budget${of} ${what}${within} is used up`);
  }

  #begin(pause: RequestPause, pauseMs: number, said: string): void {
    const longerMs = pause.begin(pauseMs, said);
    const nowMs = this.#surroundings.now();
    const beforeMs = Math.max(nowMs, this.#pausedUntilMs);
    this.#pausedUntilMs = Math.max(beforeMs, pause.untilMs);
    this.#pausedMs += this.#pausedUntilMs - beforeMs;
    if (longerMs < PAUSE_TOLD_MS_MIN || pause.isTooLong) return;
    const resumesInMs = Math.ceil(pause.untilMs - nowMs);
    const message = `${this.#registry} is not asked for ${durationText(resumesInMs)}: ${said}`;
    this.#onPause({ registry: this.#registry, resumesInMs, message });
  }
}

/** Nothing where there is something left. */
function budgetPauseMs({ remaining, resetMs, windowMs }: RateNotice): number | undefined {
  if (remaining !== 0) return undefined;
  return Math.max(
    PAUSE_MS_FIRST,
    resetMs ?? Math.min(windowMs ?? BUDGET_PAUSE_MS, BUDGET_PAUSE_MS),
  );
}

function checked(
  name: 'requestsInFlight' | 'pauseMsMax',
  options: TrafficOptions,
  min: number,
  { max, byDefault }: { readonly max: number; readonly byDefault: number },
): number {
  const value = options[name] ?? byDefault;
  if (Number.isSafeInteger(value) && value >= min && value <= max) return value;
  throw optionInvalid(name, `an integer from ${min} to ${max}`, String(value));
}
