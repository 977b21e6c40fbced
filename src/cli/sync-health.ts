/** Whether a watched sync does well: as its last run, or while the first one runs. */

import { reportOf } from './error-report.ts';
import type { HealthPage } from './health-server.ts';
import type { SyncReport } from './sync-functions.ts';
import type { SyncEnding, SyncObserver } from './sync-run.ts';

interface LastRun {
  readonly outcome: SyncReport['outcome'];
  /** Where it ended without a report. */
  readonly code: string | undefined;
  readonly counts: SyncReport['counts'] | undefined;
  readonly durationMs: number;
  readonly endedMs: number;
}

export class SyncHealth implements SyncObserver {
  readonly #now: () => number;
  #startedMs = 0;
  #isRunning = false;
  #runCount = 0;
  #last: LastRun | undefined;

  /** @param now milliseconds on a clock that never goes back */
  constructor(now: () => number) {
    this.#now = now;
  }

  runStarted(): void {
    this.#startedMs = this.#now();
    this.#isRunning = true;
    this.#runCount += 1;
  }

  record(): void {
    // The last run speaks, not what is under way.
  }

  runEnded(ending: SyncEnding): void {
    const endedMs = this.#now();
    this.#isRunning = false;
    const report = 'report' in ending ? ending.report : undefined;
    this.#last = {
      outcome: report?.outcome ?? 'failed',
      code: 'error' in ending ? reportOf(ending.error).code : undefined,
      counts: report?.counts,
      durationMs: endedMs - this.#startedMs,
      endedMs,
    };
  }

  page(): HealthPage {
    const last = this.#last;
    const healthy = last === undefined || last.outcome === 'done';
    const body = {
      status: healthy ? 'ok' : 'failing',
      running: this.#isRunning,
      runCount: this.#runCount,
      lastRun:
        last === undefined
          ? null
          : {
              outcome: last.outcome,
              code: last.code,
              counts: last.counts,
              durationSeconds: seconds(last.durationMs),
              ageSeconds: seconds(this.#now() - last.endedMs),
            },
    };
    return {
      status: healthy ? 200 : 503,
      contentType: 'application/json',
      body: `${JSON.stringify(body)}\n`,
    };
  }
}

function seconds(durationMs: number): number {
  return Math.round(durationMs) / 1000;
}
