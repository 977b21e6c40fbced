import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runProgram } from '../../src/cli/program.ts';
import { temporaryFolder } from '../journal/temporary-folder.ts';
import { until } from './image-setup.ts';
import { readReport } from '../../src/cli/sync-report-file.ts';
import { completed, progressOf, reportOf, reportTag } from './sync-sample.ts';
import { aborted, type SyncScript, setUpSync } from './sync-setup.ts';

const COPIED = reportTag('1.25', 'copied');
const LEFT = reportOf('interrupted', [COPIED, reportTag('1.24', 'not-started')]);

/** Drains when it is told to, and is broken off by the second signal only if it does not end by itself. */
function draining(ends: boolean): SyncScript {
  return async function* run({ drainSignal, signal }) {
    yield progressOf({ imagesInFlight: 3 });
    yield completed(COPIED);
    await aborted(drainSignal);
    if (ends) return LEFT;
    await aborted(signal);
    throw signal?.reason;
  };
}

describe('the first Ctrl-C', () => {
  test('finishes the images under way, and the report is written', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'report.json');
    const { context, runCount } = setUpSync(draining(true));
    const ended = runProgram(context, ['sync', 'm.yaml', '--report', path]);
    await until(() => runCount() === 1);
    context.send('SIGINT');
    expect(await ended).toBe(130);
    expect(context.stderr.lines[0]).toBe(
      'interrupted: finishing 3 images under way; once more to stop at once',
    );
    expect(context.stderr.lines.at(-1)).toBe(
      'interrupted: what was completed stays, and the next run goes on from there',
    );
    expect(context.stdout.text).toBe('interrupted copied=1 skipped=0 failed=0 not-started=1\n');
    expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject({ outcome: 'interrupted' });
    expect(context.signalListeners.size).toBe(0);
  });

  test('that comes too late changes nothing', async () => {
    const report = reportOf('done', [COPIED]);
    const { context, runCount } = setUpSync(async function* run({ drainSignal }) {
      yield progressOf({ imagesInFlight: 0 });
      await aborted(drainSignal);
      return report;
    });
    const ended = runProgram(context, ['sync', 'm.yaml']);
    await until(() => runCount() === 1);
    context.send('SIGTERM');
    expect(await ended).toBe(0);
    expect(context.stderr.lines[0]).toContain('finishing what is under way');
  });
});

describe('the second Ctrl-C', () => {
  test('stops at once', async () => {
    const { context, runCount } = setUpSync(draining(false));
    const ended = runProgram(context, ['sync', 'm.yaml', '--json']);
    await until(() => runCount() === 1);
    context.send('SIGINT');
    context.send('SIGINT');
    expect(await ended).toBe(130);
    expect(JSON.parse(context.stdout.text)).toMatchObject({ error: { code: 'ABORTED' } });
    expect(context.signalListeners.size).toBe(0);
  });

  test('leaves the report that the sync tells of before it rejects', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'report.json');
    const { context, runCount } = setUpSync(async function* run({ signal }) {
      yield completed(COPIED);
      await aborted(signal);
      yield { type: 'sync-completed', report: LEFT };
      throw signal?.reason;
    });
    const ended = runProgram(context, ['sync', 'm.yaml', '--report', path]);
    await until(() => runCount() === 1);
    context.send('SIGINT');
    context.send('SIGINT');
    expect(await ended).toBe(130);
    expect(await readReport(path)).toEqual(JSON.parse(JSON.stringify(LEFT)));
  });

  test('leaves the third to end the process as usual', async () => {
    const { context, runCount } = setUpSync(draining(false));
    const ended = runProgram(context, ['sync', 'm.yaml']);
    await until(() => runCount() === 1);
    context.send('SIGINT');
    expect(context.signalListeners.size).toBe(1);
    context.send('SIGINT');
    expect(context.signalListeners.size).toBe(0);
    await ended;
  });
});
