/** Progress of an image as plain lines, for logs: each blob while they are few, the whole now and then. */

import type { UploaderSnapshot } from '../../index.ts';
import type { CliContext } from '../context.ts';
import {
  describeCompletion,
  describeCompression,
  describeFailure,
  describeImageRetry,
  describeInvisibility,
  describeManifest,
  describePlan,
  describeRestart,
  describeRetry,
  describeVerified,
} from './event-text.ts';
import { digestLabel } from './layer-ledger.ts';
import type { ProgressDisplay } from './progress-display.ts';
import { type ProgressEvent, ProgressModel } from './progress-model.ts';
import { formatBytes, formatClock, formatPercent, formatRate, plural } from './quantity-format.ts';
import { describeResumption, JournalRemarks } from './resume-text.ts';
import { StallRemarks } from './stall-text.ts';
import { printable } from './text-fit.ts';

const TICK_MS = 10_000;
/** The longer it takes, the rarer the lines: twenty more each time the time doubles, or so. */
const LINES_PER_DOUBLING = 20;
/** Blobs and manifests that are told one by one. */
const DETAIL_LINES_MAX = 24;
const RETRY_LINES_MAX = 10;

export class ImageLineDisplay implements ProgressDisplay {
  readonly #context: Pick<CliContext, 'stderr' | 'now'>;
  readonly #snapshot: () => UploaderSnapshot;
  readonly #model = new ProgressModel(undefined);
  readonly #timer: NodeJS.Timeout;
  readonly #beganMs: number;
  readonly #startedMs = new Map<number, number>();
  readonly #journals = new JournalRemarks();
  readonly #stalls = new StallRemarks();
  #lastLineMs: number;
  #detailCount = 0;
  #retryCount = 0;
  #isCreationTold = false;

  constructor(context: Pick<CliContext, 'stderr' | 'now'>, snapshot: () => UploaderSnapshot) {
    this.#context = context;
    this.#snapshot = snapshot;
    this.#beganMs = context.now();
    this.#lastLineMs = this.#beganMs;
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    this.#timer.unref();
  }

  record(event: ProgressEvent): void {
    this.#model.record(event);
    switch (event.type) {
      case 'image-planned':
        this.say(describePlan(event));
        break;
      case 'verification-started':
        this.say(`${plural(event.blobCount, 'blob')} to read, ${formatBytes(event.sizeBytes)}`);
        break;
      case 'repository-created':
        if (!this.#isCreationTold) this.say(`${printable(event.repository)}: repository created`);
        this.#isCreationTold = true;
        break;
      case 'layer-compressed':
        this.#detail(describeCompression(event));
        break;
      case 'layer-started':
        this.#startedMs.set(event.layerId, this.#context.now());
        break;
      case 'layer-completed':
        this.#complete(event);
        break;
      case 'blob-verified':
        this.#detail(describeVerified(event));
        break;
      case 'manifest-put':
        this.#detail(describeManifest(event));
        break;
      case 'layer-failed':
        // The error itself is told in the end.
        if (event.code !== 'ABORTED')
          this.#retry(describeFailure(event, this.#model.nameOf(event)));
        break;
      case 'call-retried':
        this.#retry(describeRetry(event, this.#model.nameOf(event)));
        break;
      case 'image-call-retried':
        this.#retry(describeImageRetry(event));
        break;
      case 'layers-not-visible':
        this.#retry(describeInvisibility(event));
        break;
      case 'layer-resumed':
        this.#detail(describeResumption(event, this.#model.nameOf(event)));
        break;
      case 'journal-unusable': {
        const remark = this.#journals.of(event);
        if (remark !== undefined) this.#retry(remark);
        break;
      }
      case 'layer-stalled': {
        const name = this.#model.nameOf(event);
        const remark = this.#stalls.of(event, this.#context.now(), name);
        if (remark !== undefined) this.say(remark);
        break;
      }
      case 'layer-restarted':
        this.#retry(describeRestart(event, this.#model.nameOf(event)));
        break;
      default:
    }
  }

  say(line: string): void {
    this.#context.stderr.write(`${line}\n`);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** The time in which it waited for its turn is not its own. */
  #complete(event: Extract<ProgressEvent, { readonly type: 'layer-completed' }>): void {
    const startedMs = this.#startedMs.get(event.layerId);
    this.#startedMs.delete(event.layerId);
    const durationMs =
      startedMs === undefined ? event.receipt.durationMs : this.#context.now() - startedMs;
    this.#detail(describeCompletion(event, digestLabel(event.receipt.digest), durationMs));
  }

  #detail(line: string): void {
    this.#detailCount += 1;
    if (this.#detailCount > DETAIL_LINES_MAX) return;
    this.say(line);
    if (this.#detailCount === DETAIL_LINES_MAX) this.say('what follows is only counted');
  }

  #retry(line: string): void {
    this.#retryCount += 1;
    if (this.#retryCount > RETRY_LINES_MAX) return;
    this.say(line);
    if (this.#retryCount === RETRY_LINES_MAX) this.say('further retries are only counted');
  }

  #tick(): void {
    const nowMs = this.#context.now();
    const { total, retries } = this.#model.view(this.#snapshot(), nowMs, 0);
    const intervalMs = Math.max(TICK_MS, (nowMs - this.#beganMs) / LINES_PER_DOUBLING);
    if (nowMs - this.#lastLineMs < intervalMs) return;
    this.#lastLineMs = nowMs;
    const amount =
      total.sizeBytes === undefined
        ? formatBytes(total.doneBytes)
        : `${formatPercent(total.doneBytes, total.sizeBytes)} of ${formatBytes(total.sizeBytes)}`;
    const left = total.secondsLeft === undefined ? '' : `${formatClock(total.secondsLeft)} left`;
    const rate = total.bytesPerSecond === undefined ? '' : formatRate(total.bytesPerSecond);
    const texts = [total.label, amount, rate, left, retries].filter((text) => text !== '');
    this.say(texts.join(', '));
  }
}
