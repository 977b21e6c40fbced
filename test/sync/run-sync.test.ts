import { describe, expect, test } from 'vitest';
import { runSync } from '../../src/sync/run-sync.ts';
import type { SyncConfig } from '../../src/sync/sync-config.ts';
import type { SyncEvent } from '../../src/sync/sync-events.ts';
import type { SyncOptions } from '../../src/sync/sync-options.ts';
import type { SyncReport } from '../../src/sync/sync-report.ts';

/** Folders that are not there: nothing is asked over the network. */
const config: SyncConfig = {
  targets: { one: { region: 'eu-west-1', registryId: '123456789012' } },
  mappings: [{ from: ['oci:./not-there/first', 'oci:./not-there/second'] }],
};

interface Run {
  readonly events: readonly SyncEvent[];
  readonly report: SyncReport;
}

async function run(options: SyncOptions = {}): Promise<Run> {
  const events: SyncEvent[] = [];
  const sync = runSync(config, options);
  for (;;) {
    const next = await sync.next();
    if (next.done === true) return { events, report: next.value };
    events.push(next.value);
  }
}

describe('a sync as a generator', () => {
  test('returns the report, which is the last event too', async () => {
    const { events, report } = await run();
    expect(events.at(-1)).toEqual({ type: 'sync-completed', report });
    expect(report).toMatchObject({ version: 1, outcome: 'failed', counts: { failed: 2 } });
    expect(report.targets.map(({ target }) => target)).toEqual(['one']);
  });

  test('tells of a source that cannot be read, and of its tags by a star', async () => {
    const { events } = await run();
    const failed = events.flatMap((event) =>
      event.type === 'repository-failed' ? [event.source] : [],
    );
    expect(new Set(failed)).toEqual(new Set(['oci:./not-there/first', 'oci:./not-there/second']));
    const ended = events.flatMap((event) =>
      event.type === 'tag-completed' ? [[event.tag.source, event.tag.tag, event.tag.status]] : [],
    );
    expect(ended).toEqual(
      expect.arrayContaining([
        ['oci:./not-there/first', '*', 'failed'],
        ['oci:./not-there/second', '*', 'failed'],
      ]),
    );
    expect(ended).toHaveLength(2);
  });

  test('ends when nobody listens any more', async () => {
    let count = 0;
    for await (const event of runSync(config)) {
      count += event.type === 'sync-completed' ? 0 : 1;
      break;
    }
    expect(count).toBe(1);
  });

  test('has done nothing before it is listened to', async () => {
    const sync = runSync({ ...config, targets: {} });
    expect(await sync.return({} as SyncReport)).toMatchObject({ done: true });
  });

  test('that is drained at once returns a report', async () => {
    const drain = new AbortController();
    drain.abort(new Error('enough'));
    const { report } = await run({ drainSignal: drain.signal });
    expect(report).toMatchObject({ outcome: 'interrupted', tags: [] });
  });

  test('that is aborted gives its report, and then throws the reason', async () => {
    const stop = new AbortController();
    const reason = new Error('at once');
    const events: SyncEvent[] = [];
    const running = (async () => {
      for await (const event of runSync(config, { signal: stop.signal })) {
        events.push(event);
        stop.abort(reason);
      }
    })();
    await expect(running).rejects.toBe(reason);
    expect(events.at(-1)).toMatchObject({
      type: 'sync-completed',
      report: { outcome: 'interrupted' },
    });
    await expect(run({ signal: stop.signal })).rejects.toBe(reason);
  });
});
