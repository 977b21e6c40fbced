/** Metrics of a watched sync, for Prometheus. */

import type { Counter, Gauge, Registry } from 'prom-client';
import type { HealthPage } from './health-server.ts';
import type { SyncEvent, SyncProgress, SyncReport } from './sync-functions.ts';
import { RunCount } from './sync-run-count.ts';
import type { SyncEnding, SyncObserver } from './sync-run.ts';

const OUTCOMES: readonly SyncReport['outcome'][] = ['done', 'partial', 'failed', 'interrupted'];
const STATUSES: readonly (keyof SyncReport['counts'])[] = [
  'copied',
  'skipped',
  'failed',
  'not-started',
];

interface LastRunGauges {
  readonly timestamp: Gauge;
  readonly duration: Gauge;
  readonly success: Gauge;
}

/** Loaded only here: who does not ask for metrics has no use for it. */
export async function createSyncMetrics(): Promise<SyncMetrics> {
  return new SyncMetrics(await import('prom-client'));
}

/**
 * What grows during a run is counted as it grows, by its events; its report then has the last word, and
 * what only a report tells comes with it.
 */
export class SyncMetrics implements SyncObserver {
  readonly #registry: Registry;
  readonly #runs: Counter<'outcome'>;
  readonly #tags: Counter<'status'>;
  readonly #tagCounts: ReadonlyMap<string, RunCount>;
  readonly #uploaded: RunCount;
  readonly #mounted: RunCount;
  readonly #throttled: RunCount;
  readonly #read: Counter<'registry'>;
  readonly #requests: Counter<'registry'>;
  readonly #pauses: Counter<'registry'>;
  readonly #calls: Counter<'target' | 'operation'>;
  readonly #inFlight: Gauge;
  readonly #waiting: Gauge;
  readonly #running: Gauge;
  readonly #gauge: (name: string, help: string) => Gauge;
  /** Not there before a run has ended: a success of 0 would be an alarm. */
  #last: LastRunGauges | undefined;
  #startedMs = 0;

  constructor(client: typeof import('prom-client')) {
    this.#registry = new client.Registry();
    const registers = [this.#registry];
    const counter = <Label extends string = never>(
      name: string,
      help: string,
      labelNames: readonly Label[] = [],
    ): Counter<Label> =>
      new client.Counter({
        name: `longshore_sync_${name}`,
        help,
        labelNames: [...labelNames],
        registers,
      });
    this.#gauge = (name, help) =>
      new client.Gauge({ name: `longshore_sync_${name}`, help, registers });

    this.#runs = counter('runs_total', 'Runs that have ended.', ['outcome']);
    this.#tags = counter('tags_total', 'Tags by what became of them.', ['status']);
    for (const outcome of OUTCOMES) this.#runs.inc({ outcome }, 0);
    for (const status of STATUSES) this.#tags.inc({ status }, 0);
    this.#tagCounts = new Map(
      STATUSES.map((status) => [status, new RunCount((more) => this.#tags.inc({ status }, more))]),
    );
    const uploaded = counter('uploaded_bytes_total', 'Layer bytes that targets acknowledged.');
    const mounted = counter('mounted_bytes_total', 'Bytes mounted instead of sent.');
    const throttled = counter('throttled_calls_total', 'Calls that targets throttled.');
    this.#uploaded = new RunCount((more) => uploaded.inc(more));
    this.#mounted = new RunCount((more) => mounted.inc(more));
    this.#throttled = new RunCount((more) => throttled.inc(more));
    this.#read = counter('read_bytes_total', 'Blob bytes read from sources.', ['registry']);
    this.#requests = counter('source_requests_total', 'Requests to sources.', ['registry']);
    this.#pauses = counter('source_pauses_total', 'Times a source wanted a pause.', ['registry']);
    this.#calls = counter('calls_total', 'Calls to targets, every attempt counted.', [
      'target',
      'operation',
    ]);
    this.#inFlight = this.#gauge('images_in_flight', 'Images under way.');
    this.#waiting = this.#gauge('images_waiting', 'Images known to wait.');
    this.#running = this.#gauge('running', '1 while a run is under way.');
  }

  runStarted(): void {
    this.#startedMs = Date.now();
    this.#running.set(1);
    const counts = [this.#uploaded, this.#mounted, this.#throttled, ...this.#tagCounts.values()];
    for (const count of counts) count.begin();
  }

  record(event: SyncEvent): void {
    switch (event.type) {
      case 'sync-progress':
        this.#progress(event.progress);
        break;
      case 'tag-completed':
        this.#tagCounts.get(event.tag.status)?.add(1);
        break;
      case 'source-paused':
        this.#pauses.inc({ registry: event.registry });
        break;
      default:
    }
  }

  runEnded(ending: SyncEnding): void {
    const report = 'report' in ending ? ending.report : undefined;
    const outcome = report?.outcome ?? 'failed';
    const endedMs = Date.now();
    if (report !== undefined) this.#settle(report);
    this.#runs.inc({ outcome });
    this.#running.set(0);
    this.#inFlight.set(0);
    this.#waiting.set(0);
    this.#last ??= this.#createLast();
    this.#last.timestamp.set(endedMs / 1000);
    this.#last.duration.set((report?.durationMs ?? Math.max(0, endedMs - this.#startedMs)) / 1000);
    this.#last.success.set(outcome === 'done' ? 1 : 0);
  }

  async page(): Promise<HealthPage> {
    const { contentType } = this.#registry;
    return { status: 200, contentType, body: await this.#registry.metrics() };
  }

  #createLast(): LastRunGauges {
    return {
      timestamp: this.#gauge('last_run_timestamp_seconds', 'When the last run ended.'),
      duration: this.#gauge('last_run_duration_seconds', 'How long the last run took.'),
      success: this.#gauge('last_run_success', '1 if everything was done in the last run.'),
    };
  }

  #progress(progress: SyncProgress): void {
    this.#inFlight.set(progress.imagesInFlight);
    this.#waiting.set(progress.imagesWaiting);
    this.#uploaded.reach(progress.uploadedBytes);
    this.#mounted.reach(progress.mountedBytes);
    this.#throttled.reach(progress.throttledCallCount);
  }

  #settle({ targets, sources, counts }: SyncReport): void {
    const sum = (of: (target: SyncReport['targets'][number]) => number): number =>
      targets.reduce((total, target) => total + of(target), 0);
    this.#uploaded.reach(sum(({ uploadedBytes }) => uploadedBytes));
    this.#mounted.reach(sum(({ mountedBytes }) => mountedBytes));
    this.#throttled.reach(sum(({ throttledCallCount }) => throttledCallCount));
    for (const status of STATUSES) this.#tagCounts.get(status)?.reach(counts[status]);
    for (const { target, calls } of targets) {
      for (const [operation, count] of Object.entries(calls)) {
        this.#calls.inc({ target, operation }, count);
      }
    }
    for (const { registry, blobBytes, requestCount } of sources) {
      this.#read.inc({ registry }, blobBytes);
      this.#requests.inc({ registry }, requestCount);
    }
  }
}
