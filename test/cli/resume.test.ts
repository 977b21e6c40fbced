import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { runProgram } from '../../src/cli/program.ts';
import type { JournalProblem, LayerEvent, LayerReceipt } from '../../src/index.ts';
import { LineDisplay } from '../../src/cli/progress/line-display.ts';
import { ProgressModel } from '../../src/cli/progress/progress-model.ts';
import { startEmulator } from '../../src/emulator/index.ts';
import { MIB } from '../../src/limits.ts';
import { temporaryFolder } from '../journal/temporary-folder.ts';
import { expectStored } from '../uploader/expectation.ts';
import { layerBytes } from '../uploader/layer-bytes.ts';
import { makeRepository, REPOSITORY } from '../uploader/upload-rig.ts';
import { fakeContext } from './fake-context.ts';
import { layer, setUp } from './layer-setup.ts';
import { environmentOf, spawnCli } from './spawned-cli.ts';

const HOME = '/home/user';

describe('an interrupted run can be resumed', () => {
  test.each([
    ['from the home folder', [], { HOME }, '/home/user/.local/state/longshore'],
    ['from the XDG state folder', [], { HOME, XDG_STATE_HOME: '/state' }, '/state/longshore'],
    [
      'from the home folder where XDG names a relative one',
      [],
      { HOME, XDG_STATE_HOME: 'state' },
      '/home/user/.local/state/longshore',
    ],
    ['from a folder of choice', ['--resume-directory', 'here'], { HOME }, 'here'],
    ['not where there is no home', [], {}, undefined],
    ['not if that is refused', ['--no-resume'], { HOME }, undefined],
  ])('%s', async (_name, words, env, expected) => {
    const { context, options } = setUp({}, { env });
    expect(await runProgram(context, layer('a', ...words))).toBe(0);
    expect(options.map(({ resumeDirectory }) => resumeDirectory)).toEqual([expected]);
  });
});

test('a command that was killed goes on with the same words', async () => {
  await using folder = await temporaryFolder();
  const emulator = await startEmulator({
    // The third part never gets its answer: there the command is when it is killed.
    faults: [
      { operation: 'UploadLayerPart', match: { firstByte: 10 * MIB }, action: { kind: 'stall' } },
    ],
  });
  try {
    await makeRepository(emulator, REPOSITORY);
    const bytes = layerBytes(22 * MIB);
    const path = join(folder.path, 'layer.tar');
    await writeFile(path, bytes);
    const env = { ...environmentOf(emulator), XDG_STATE_HOME: folder.path };
    const words = ['layer', path, '-r', REPOSITORY, '--part-size', '5', '--json'];
    const killed = spawnCli(words, env);
    await vi.waitFor(
      () => {
        const parts = emulator.journal.entries({ operation: 'UploadLayerPart' });
        const stalled = parts.find(({ firstByte }) => firstByte === 10 * MIB);
        expect(stalled?.receivedAtMs).toBeDefined();
      },
      { timeout: 20_000 },
    );
    killed.child.kill('SIGKILL');
    await killed.ended;
    const { stdout, stderr, exitCode } = await spawnCli(words, env).ended;
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout) as LayerReceipt).toMatchObject({
      outcome: 'uploaded',
      resumedBytes: 10 * MIB,
    });
    expect(stderr).toContain('resumed, 10.5 MB were sent before');
    await expectStored(emulator, bytes);
    expect(await readdir(join(folder.path, 'longshore'))).toEqual([]);
  } finally {
    await emulator.stop();
  }
});

const NAME = { repository: 'team/app', source: 'a.tar', layerId: 1 };

describe('a resumed layer', () => {
  test('is told of, with what was sent before', () => {
    const context = fakeContext();
    const display = new LineDisplay(context);
    display.record({ ...NAME, type: 'layer-started', sizeBytes: 100_000_000, digest: undefined });
    display.record({
      ...NAME,
      type: 'layer-resumed',
      uploadId: 'one',
      resumedBytes: 40_000_000,
    });
    expect(context.stderr.lines.at(-1)).toBe('a.tar: resumed, 40.0 MB were sent before');
  });

  test('tells nothing of the speed with what was sent before', () => {
    const model = new ProgressModel([{ label: 'a.tar', sizeBytes: 100_000_000 }]);
    const snapshot = (acceptedBytes: number) => ({
      layers: [
        {
          ...NAME,
          state: 'sending' as const,
          digest: undefined,
          sizeBytes: 100_000_000,
          hashedBytes: 0,
          acceptedBytes,
          wiredBytes: acceptedBytes,
          partsInFlight: 1,
        },
      ],
      uploadedLayerCount: 0,
      presentLayerCount: 0,
      failedLayerCount: 0,
      acceptedBytes: 0,
      resentBytes: 0,
      bytesInMemory: 0,
    });
    model.view(snapshot(0), 0, 10);
    const resumedBytes = 40_000_000;
    model.record({ ...NAME, type: 'layer-resumed', uploadId: 'one', resumedBytes });
    const view = model.view(snapshot(resumedBytes + 1_000_000), 1000, 10);
    expect(view.total).toMatchObject({ bytesPerSecond: 1_000_000, doneBytes: 41_000_000 });
  });
});

test('a folder that cannot be written to is told of once, other problems each time', () => {
  const context = fakeContext();
  const display = new LineDisplay(context);
  const event = (reason: JournalProblem, layerId: number): LayerEvent => ({
    ...NAME,
    layerId,
    type: 'journal-unusable',
    reason,
    message: `it is ${reason}`,
  });
  for (const reason of ['unwritable', 'unwritable', 'in-use', 'in-use'] as const) {
    display.record(event(reason, context.stderr.lines.length));
  }
  expect(context.stderr.lines).toEqual([
    'it is unwritable (--no-resume: keep none)',
    'a.tar: cannot resume, it is in-use',
    'a.tar: cannot resume, it is in-use',
  ]);
});
