/** The process that is watched: makes one uploader after the other, and samples itself in between. */

import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createUploader, LongshoreError } from '../../src/index.ts';
import type { Uploader, UploaderOptions } from '../../src/index.ts';
import { layerBytes } from '../uploader/layer-bytes.ts';
import { COMMON_BYTES, planRound, type SoakRound, type SoakUpload } from './soak-plan.ts';
import { sourceOf } from './soak-source.ts';
import type { SoakSample } from './soak-verdict.ts';

export interface SoakTask {
  readonly seed: number;
  readonly minutes: number;
  readonly uploader: UploaderOptions;
}

export type SoakReport =
  | { readonly sample: SoakSample }
  | { readonly problem: string }
  | { readonly endings: Readonly<Record<string, number>> };

/** An abort is answered within this time. */
const ANSWER_MS_MAX = 1000;
/** After which an upload hangs: far above what all its attempts take. */
const UPLOAD_MS_MAX = 120_000;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;
const task = JSON.parse(process.argv[2] ?? '') as SoakTask;
const common = layerBytes(COMMON_BYTES);
const folder = mkdtempSync(join(tmpdir(), 'longshore-soak-'));
const endings: Record<string, number> = {};

try {
  const startedAtMs = performance.now();
  const endMs = startedAtMs + task.minutes * 60_000;
  for (let roundIndex = 0; performance.now() < endMs; roundIndex += 1) {
    const beganAtMs = performance.now();
    const acceptedBytes = await runRound(planRound(task.seed, roundIndex), roundIndex);
    const durationMs = performance.now() - beganAtMs;
    report({ sample: await sampleNow(startedAtMs, roundIndex, acceptedBytes, durationMs) });
  }
} finally {
  rmSync(folder, { recursive: true });
}
report({ endings });
process.disconnect();

/** @returns layer bytes acknowledged */
async function runRound(round: SoakRound, roundIndex: number): Promise<number> {
  const uploader = createUploader({ ...round.options, ...task.uploader });
  const uploads = round.uploads.map((upload, index) =>
    runUpload(uploader, upload, `${roundIndex}-${index}`, round),
  );
  if (round.isDestroyed) {
    await Promise.race(uploads);
    await uploader.destroy(new Error('destroyed'));
  }
  await Promise.all(uploads);
  await uploader.close();
  const { layers, acceptedBytes } = uploader.snapshot();
  if (layers.length > 0)
    report({ problem: `round ${roundIndex}: ${layers.length} layers are left` });
  return acceptedBytes;
}

async function runUpload(
  uploader: Uploader,
  upload: SoakUpload,
  name: string,
  { options }: SoakRound,
): Promise<void> {
  const { sizeBytes, offsetBytes, checkFirst, abort } = upload;
  const bytes = common.subarray(offsetBytes, offsetBytes + sizeBytes);
  const control = new AbortController();
  const reason = new Error('aborted');
  let abortedAtMs = 0;
  const abortNow = (): void => {
    abortedAtMs = performance.now();
    control.abort(reason);
  };
  const atEvent = abort !== undefined && 'atEvent' in abort ? abort.atEvent : 0;
  const timer =
    abort !== undefined && 'afterMs' in abort ? setTimeout(abortNow, abort.afterMs) : undefined;
  const hang = setTimeout(() => {
    report({ problem: `upload ${name} hangs: ${JSON.stringify(upload)}` });
    process.exit(1);
  }, UPLOAD_MS_MAX);
  let eventCount = 0;
  const onEvent = (): void => {
    eventCount += 1;
    if (eventCount === atEvent) abortNow();
    const { bytesInMemory } = uploader.snapshot();
    if (bytesInMemory > (options.bytesInMemoryMax ?? 0)) {
      report({ problem: `${bytesInMemory} bytes of part memory in ${name}` });
    }
  };
  const source = sourceOf(upload, bytes, folder, name);
  const request = { repository: 'soak/app', source, checkFirst };
  try {
    const { outcome } = await uploader.uploadLayer(request, { signal: control.signal, onEvent });
    count(outcome);
  } catch (error) {
    const answerMs = performance.now() - abortedAtMs;
    if (error === reason && answerMs > ANSWER_MS_MAX) {
      report({ problem: `the abort of ${name} was answered after ${Math.round(answerMs)} ms` });
    }
    count(endingOf(error, name));
  } finally {
    clearTimeout(timer);
    clearTimeout(hang);
    rmSync(join(folder, name), { force: true });
  }
}

/** Faults may use up all attempts; anything else that fails is a problem. */
function endingOf(error: unknown, name: string): string {
  if (LongshoreError.is(error)) {
    if (!error.retryable && error.code !== 'E_REGISTRY_PROTOCOL' && error.code !== 'E_CLOSED') {
      report({ problem: `upload ${name}: ${error.code}: ${error.message}` });
    }
    return error.code;
  }
  const text = error instanceof Error ? error.message : String(error);
  if (text !== 'aborted' && text !== 'destroyed') {
    report({ problem: `upload ${name}: ${text}` });
  }
  return text;
}

function count(ending: string): void {
  endings[ending] = (endings[ending] ?? 0) + 1;
}

async function sampleNow(
  startedAtMs: number,
  roundIndex: number,
  acceptedBytes: number,
  durationMs: number,
): Promise<SoakSample> {
  for (let pass = 0; pass < 3; pass += 1) {
    collectGarbage();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { rss, heapUsed } = process.memoryUsage();
  return {
    atMs: performance.now() - startedAtMs,
    roundIndex,
    rssBytes: rss,
    heapBytes: heapUsed,
    handleCount: process.getActiveResourcesInfo().length,
    descriptorCount: entryCount('/proc/self/fd'),
    threadCount: entryCount('/proc/self/task'),
    acceptedBytes,
    durationMs,
  };
}

/** 0 where there is no such folder: not on Linux. */
function entryCount(path: string): number {
  try {
    return readdirSync(path).length;
  } catch {
    return 0;
  }
}

function report(message: SoakReport): void {
  process.send?.(message);
}
