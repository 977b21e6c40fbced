/** Runs the uploads of one `longshore layer` call and collects how each one ended. */

import type { LayerEvent, LayerReceipt, Uploader } from '../index.ts';
import type { CliContext } from './context.ts';
import { Interruption } from './error-report.ts';
import { watchInterruption } from './interruption.ts';
import type { LayerJob } from './layer-job.ts';

export type LayerEnding = { readonly job: LayerJob } & (
  | { readonly receipt: LayerReceipt }
  | { readonly error: unknown }
);

export interface LayerRunObserver {
  readonly onEvent: (event: LayerEvent) => void;
  readonly onEnding: (ending: LayerEnding) => void;
  /** After the first signal, with what is under way and what was never begun. */
  readonly onInterruption: (activeCount: number, waitingCount: number) => void;
}

export interface LayerRunRequest {
  readonly repository: string;
  readonly checkFirst: boolean;
  readonly jobs: readonly LayerJob[];
}

interface RunningJob {
  readonly job: LayerJob;
  readonly controller: AbortController;
  state: 'waiting' | 'active' | 'ended';
}

/** Resolves when every layer has ended and the uploader is closed; tells whether it was cut short. */
export async function runLayers(
  context: Pick<CliContext, 'signals'>,
  uploader: Uploader,
  request: LayerRunRequest,
  observer: LayerRunObserver,
): Promise<{ readonly interrupted: boolean }> {
  const running = request.jobs.map((job): RunningJob => ({
    job,
    controller: new AbortController(),
    state: 'waiting',
  }));
  const watch = watchInterruption(context, {
    first: () => {
      const left = leaveOut(running);
      observer.onInterruption(left.activeCount, left.waitingCount);
      // Its own failure would be a defect, and the close below tells about it.
      void uploader.close().catch(() => undefined);
    },
    second: () => {
      void uploader.destroy(new Interruption('stopped on request')).catch(() => undefined);
    },
  });
  try {
    await Promise.all(running.map((one) => runOne(uploader, request, one, observer)));
    await uploader.close();
  } finally {
    watch.stop();
  }
  return { interrupted: watch.interrupted };
}

async function runOne(
  uploader: Uploader,
  request: LayerRunRequest,
  running: RunningJob,
  observer: LayerRunObserver,
): Promise<void> {
  const { job } = running;
  try {
    const { repository, checkFirst } = request;
    const receipt = await uploader.uploadLayer(
      { repository, source: job.source, checkFirst },
      {
        signal: running.controller.signal,
        onEvent: (event) => {
          if (event.type === 'layer-started') running.state = 'active';
          observer.onEvent(event);
        },
      },
    );
    running.state = 'ended';
    observer.onEnding({ job, receipt });
  } catch (error) {
    running.state = 'ended';
    observer.onEnding({ job, error });
  }
}

/**
 * Ends what was not begun. A stream ends as well: the program that feeds it got the same Ctrl-C, and
 * what is left of its output would pass for the whole layer.
 */
function leaveOut(running: readonly RunningJob[]): { activeCount: number; waitingCount: number } {
  let activeCount = 0;
  let waitingCount = 0;
  for (const one of running) {
    if (one.state === 'ended') continue;
    if (one.state === 'waiting' || one.job.isStream) {
      waitingCount += 1;
      one.controller.abort(new Interruption('left out, the run was interrupted'));
    } else {
      activeCount += 1;
    }
  }
  return { activeCount, waitingCount };
}
