/**
 * Loaded into every thread of a contestant by `--import`: takes a CPU profile of each. Node's own
 * `--cpu-prof` loses those of threads that are terminated, and longshore's are.
 */

import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { BroadcastChannel, isMainThread, threadId, Worker } from 'node:worker_threads';

const FOLDER_VARIABLE = 'LONGSHORE_BENCH_PROFILE_FOLDER';
const CHANNEL = 'longshore-bench-profile';
const SAMPLE_INTERVAL_US = 250;
const WAIT_MS_MAX = 2000;
const WAIT_STEP_MS = 5;

const session = new Session();
session.connect();
session.post('Profiler.enable');
session.post('Profiler.setSamplingInterval', { interval: SAMPLE_INTERVAL_US });
session.post('Profiler.start');

const channel = new BroadcastChannel(CHANNEL);
channel.unref();
if (isMainThread) profileMainThread();
else
  channel.addEventListener('message', () => {
    writeProfile();
    channel.postMessage('written');
  });

function profileMainThread(): void {
  const threads = { started: 0, written: 0 };
  channel.addEventListener('message', () => {
    threads.written += 1;
  });
  process.on('worker', () => {
    threads.started += 1;
  });
  process.on('exit', writeProfile);

  let allWritten: Promise<void> | undefined;
  const askAll = async (): Promise<void> => {
    channel.postMessage('write');
    for (let waitedMs = 0; waitedMs < WAIT_MS_MAX; waitedMs += WAIT_STEP_MS) {
      if (threads.written >= threads.started) return;
      await delay(WAIT_STEP_MS);
    }
  };
  const { prototype } = Worker;
  const terminate: (this: Worker) => Promise<number> = Reflect.get(prototype, 'terminate');
  prototype.terminate = async function terminateProfiled(this: Worker): Promise<number> {
    allWritten ??= askAll();
    await allWritten;
    return terminate.call(this);
  };
}

/** The inspector answers at once within its own thread. */
function writeProfile(): void {
  session.post('Profiler.stop', (error, result) => {
    if (error !== null) return;
    const folder = process.env[FOLDER_VARIABLE] ?? '.';
    const name = `${isMainThread ? 'main' : `worker-${threadId}`}.cpuprofile`;
    writeFileSync(join(folder, name), JSON.stringify(result.profile));
  });
}
