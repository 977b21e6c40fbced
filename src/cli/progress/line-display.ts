/** Progress as plain lines, for logs. Paced, so that a long upload does not fill them. */

import type { LayerEvent } from '../../index.ts';
import type { CliContext } from '../context.ts';
import {
  describeCompletion,
  describeFailure,
  describeRestart,
  describeRetry,
  describeStart,
} from './event-text.ts';
import type { ProgressDisplay } from './progress-display.ts';
import type { ProgressEvent } from './progress-model.ts';
import { formatBytes, formatPercent, formatRate } from './quantity-format.ts';
import { describeResumption, JournalRemarks } from './resume-text.ts';
import { StallRemarks } from './stall-text.ts';
import { printable } from './text-fit.ts';

const LINE_INTERVAL_MS = 10_000;
/** Retries that are spelled out for one layer; the rest is counted. */
const RETRY_LINES_MAX = 5;

interface LayerLog {
  readonly startedMs: number;
  readonly sizeBytes: number | undefined;
  lastLineMs: number;
  acceptedBytes: number;
  resumedBytes: number;
  retryCount: number;
}

export class LineDisplay implements ProgressDisplay {
  readonly #context: Pick<CliContext, 'stderr' | 'now'>;
  readonly #logs = new Map<number, LayerLog>();
  readonly #repositories = new Set<string>();
  readonly #journals = new JournalRemarks();
  readonly #stalls = new StallRemarks();

  constructor(context: Pick<CliContext, 'stderr' | 'now'>) {
    this.#context = context;
  }

  record(event: ProgressEvent): void {
    switch (event.type) {
      case 'layer-started':
        this.#open(event.layerId, event.sizeBytes);
        this.say(describeStart(event));
        break;
      case 'repository-created':
        this.#created(event.repository);
        break;
      case 'part-acknowledged':
        this.#advance(event);
        break;
      case 'call-retried':
        this.#retry(event);
        break;
      case 'layer-stalled':
        this.#stall(event);
        break;
      case 'layer-restarted':
        this.#open(event.layerId, this.#logs.get(event.layerId)?.sizeBytes);
        this.say(describeRestart(event));
        break;
      case 'layer-resumed':
        this.#resumed(event);
        break;
      case 'journal-unusable':
        this.#remark(event);
        break;
      case 'layer-completed':
        this.#finish(event, describeCompletion(event));
        break;
      case 'layer-failed':
        // Who interrupted a run knows; how many layers that left out is told in the end.
        if (event.code !== 'ABORTED') this.#finish(event, describeFailure(event));
        break;
      default:
    }
  }

  say(line: string): void {
    this.#context.stderr.write(`${line}\n`);
  }

  stop(): void {
    this.#logs.clear();
  }

  /** Layers that wait for the same repository may each tell. */
  #created(repository: string): void {
    if (this.#repositories.has(repository)) return;
    this.#repositories.add(repository);
    this.say(`${printable(repository)}: repository created`);
  }

  #open(layerId: number, sizeBytes: number | undefined): void {
    const startedMs = this.#context.now();
    const retryCount = this.#logs.get(layerId)?.retryCount ?? 0;
    this.#logs.set(layerId, {
      startedMs,
      sizeBytes,
      lastLineMs: startedMs,
      acceptedBytes: 0,
      resumedBytes: 0,
      retryCount,
    });
  }

  #resumed(event: Extract<LayerEvent, { type: 'layer-resumed' }>): void {
    const log = this.#logs.get(event.layerId);
    if (log !== undefined) log.resumedBytes = event.resumedBytes;
    this.say(describeResumption(event));
  }

  #remark(event: Extract<LayerEvent, { type: 'journal-unusable' }>): void {
    const remark = this.#journals.of(event);
    if (remark !== undefined) this.say(remark);
  }

  #stall(event: Extract<LayerEvent, { type: 'layer-stalled' }>): void {
    const remark = this.#stalls.of(event, this.#context.now());
    if (remark !== undefined) this.say(remark);
  }

  #advance(event: Extract<LayerEvent, { type: 'part-acknowledged' }>): void {
    const log = this.#logs.get(event.layerId);
    if (log === undefined) return;
    log.acceptedBytes += event.endByte - event.firstByte;
    const nowMs = this.#context.now();
    if (nowMs - log.lastLineMs < LINE_INTERVAL_MS) return;
    log.lastLineMs = nowMs;
    const bytesPerSecond = (log.acceptedBytes / (nowMs - log.startedMs)) * 1000;
    const doneBytes = log.resumedBytes + log.acceptedBytes;
    const amount =
      log.sizeBytes === undefined
        ? formatBytes(doneBytes)
        : `${formatPercent(doneBytes, log.sizeBytes)} of ${formatBytes(log.sizeBytes)}`;
    this.say(`${printable(event.source)}: ${amount}, ${formatRate(bytesPerSecond)}`);
  }

  #retry(event: Extract<LayerEvent, { type: 'call-retried' }>): void {
    const log = this.#logs.get(event.layerId);
    const retryCount = (log?.retryCount ?? 0) + 1;
    if (log !== undefined) log.retryCount = retryCount;
    if (retryCount <= RETRY_LINES_MAX) this.say(describeRetry(event));
    if (retryCount === RETRY_LINES_MAX) {
      this.say(`${printable(event.source)}: further retries are only counted`);
    }
  }

  #finish(event: LayerEvent, line: string): void {
    const unseen = (this.#logs.get(event.layerId)?.retryCount ?? 0) - RETRY_LINES_MAX;
    this.#logs.delete(event.layerId);
    this.say(unseen > 0 ? `${line} (${unseen} more retries)` : line);
  }
}
