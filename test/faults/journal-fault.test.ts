import type { FileHandle } from 'node:fs/promises';
import { readdir } from 'node:fs/promises';
import { afterEach, expect, test, vi } from 'vitest';
import { createUploader, fileSource } from '../../src/index.ts';
import { MIB } from '../../src/limits.ts';
import { randomFrom } from '../journal/killable-program.ts';
import { temporaryFolder } from '../package/temporary-folder.ts';
import { uploaderOptionsFor } from '../uploader/upload-rig.ts';
import { expectEachSeed } from './campaign.ts';
import { attempt, expectLayer } from './drive.ts';
import { FaultRig } from './fault-rig.ts';
import { picked } from './layer-pool.ts';
import { DISK_FULL } from './local-faults.ts';

/** What the disk does not do, from the nth time on. */
interface DiskFault {
  readonly step: 'open' | 'appendFile' | 'sync' | 'datasync';
  readonly nth: number;
  readonly code: 'ENOSPC' | 'EIO';
}

const disk = vi.hoisted(() => ({ fault: undefined as DiskFault | undefined, count: 0 }));

vi.mock('node:fs/promises', async (importOriginal) => {
  const real = await importOriginal<typeof import('node:fs/promises')>();
  const fails = (step: DiskFault['step']): Error | undefined => {
    const { fault } = disk;
    if (fault?.step !== step) return undefined;
    disk.count += 1;
    if (disk.count < fault.nth) return undefined;
    return Object.assign(new Error(`${fault.code}: by fault, ${step}`), { code: fault.code });
  };
  const open: typeof real.open = async (path, ...rest) => {
    if (!String(path).endsWith('.journal')) return real.open(path, ...rest);
    const failure = fails('open');
    if (failure !== undefined) throw failure;
    const file: FileHandle = await real.open(path, ...rest);
    for (const step of ['appendFile', 'sync', 'datasync'] as const) {
      const whole = file[step].bind(file) as (...given: unknown[]) => Promise<void>;
      Object.defineProperty(file, step, {
        value: async (...given: unknown[]) => {
          const stepFailure = fails(step);
          if (stepFailure !== undefined) throw stepFailure;
          return whole(...given);
        },
      });
    }
    return file;
  };
  return { ...real, default: { ...real, open }, open };
});

afterEach(() => {
  disk.fault = undefined;
});

test(`${DISK_FULL.name} ${DISK_FULL.where}`, async () => {
  await using rig = await FaultRig.start();
  using folder = temporaryFolder();
  const uploader = createUploader({
    ...uploaderOptionsFor(rig.emulator),
    partSizeBytes: 5 * MIB,
    resumeDirectory: folder.path,
  });
  const layers = Array.from({ length: 3 }, (_, index) => rig.layers.large(index));
  await expectEachSeed(DISK_FULL.name, async (seed) => {
    const random = randomFrom(seed);
    const repository = `journal/${seed}`;
    await rig.makeRepository(repository);
    const layer = picked(layers, random);
    const step = picked(['open', 'appendFile', 'sync', 'datasync'] as const, random);
    disk.count = 0;
    disk.fault = {
      step,
      // Of lines there is one at the beginning, and one or more behind it.
      nth: step === 'appendFile' && random() < 0.5 ? 2 : 1,
      code: picked(['ENOSPC', 'EIO'] as const, random),
    };
    const problems: string[] = [];
    const attempted = await attempt(
      uploader.uploadLayer(
        { repository, source: fileSource(layer.path) },
        {
          onEvent: (event) => {
            if (event.type === 'journal-unusable') problems.push(event.reason);
          },
        },
      ),
    );
    expect(attempted.ending).toBe(DISK_FULL.passing);
    expect(problems).toEqual(['unwritable']);
    await expectLayer(rig, repository, layer);
    expect(await readdir(folder.path)).toEqual([]);
    await rig.dropRepository(repository);
  });
  await uploader.close();
}, 60_000);
