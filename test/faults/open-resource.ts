/** What a process holds: threads, files and sockets, timers and whatever else keeps it alive. */

import { readdirSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'vitest';

export interface Holdings {
  readonly threadCount: number;
  readonly descriptorCount: number;
  /** How many of each kind keep the event loop alive. */
  readonly resources: ReadonlyMap<string, number>;
}

/** What is being closed is gone soon, or never; a busy machine takes its time to end a thread. */
const WAIT_MS_MAX = 10_000;
/** The test runner's own, and this file's way to wait. */
const IGNORED: ReadonlySet<string> = new Set(['Immediate', 'MessagePort', 'PipeWrap']);

export function holdings(): Holdings {
  const resources = new Map<string, number>();
  for (const name of process.getActiveResourcesInfo()) {
    if (!IGNORED.has(name)) resources.set(name, (resources.get(name) ?? 0) + 1);
  }
  return {
    threadCount: countOf('/proc/self/task'),
    descriptorCount: countOf('/proc/self/fd'),
    resources,
  };
}

/** @throws where there is more than before */
export async function expectNothingMore(before: Holdings): Promise<void> {
  let more = moreThan(before, holdings());
  const begunAtMs = performance.now();
  while (more.length > 0 && performance.now() - begunAtMs < WAIT_MS_MAX) {
    await turn();
    more = moreThan(before, holdings());
  }
  expect(more, 'what is left open').toEqual([]);
}

function moreThan(before: Holdings, after: Holdings): string[] {
  const more = [...after.resources]
    .filter(([name, count]) => count > (before.resources.get(name) ?? 0))
    .map(([name, count]) => `${name}: ${count}`);
  if (after.threadCount > before.threadCount) more.push(`threads: ${after.threadCount}`);
  if (after.descriptorCount > before.descriptorCount) {
    more.push(`descriptors: ${after.descriptorCount}`);
  }
  return more;
}

/** 0 on systems that do not tell. */
function countOf(folder: string): number {
  try {
    return readdirSync(folder).length;
  } catch {
    return 0;
  }
}
