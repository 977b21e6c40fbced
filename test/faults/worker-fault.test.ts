import { describe, expect, test } from 'vitest';
import { bytesSource, createUploader, fileSource } from '../../src/index.ts';
import { randomFrom } from '../journal/killable-program.ts';
import { makeImage, memoryImage } from '../image/memory-image.ts';
import { uploaderOptionsFor } from '../uploader/upload-rig.ts';
import { expectEachSeed, expectOrder, isLasting, WITHOUT_END } from './campaign.ts';
import { attempt, expectLayer } from './drive.ts';
import { failingWorker } from './failing-worker.ts';
import { FaultRig } from './fault-rig.ts';
import { picked } from './layer-pool.ts';
import { READ_ERROR, WORKER_FAULTS } from './local-faults.ts';
import { expectNothingMore, holdings } from './open-resource.ts';

const CELL_MS_MAX = 60_000;
const ATTEMPTS_MAX = 3;
const HOWS = ['exit', 'out-of-memory'] as const;

describe('in a worker', () => {
  test.each(WORKER_FAULTS.map((fault) => ({ ...fault, title: `${fault.name} ${fault.where}` })))(
    '$title',
    async ({ title, job, passing, lasting }) => {
      await using rig = await FaultRig.start();
      using worker = failingWorker();
      const before = holdings();
      const uploader = createUploader({
        ...uploaderOptionsFor(rig.emulator),
        attemptsMax: ATTEMPTS_MAX,
        // The digest is a job of its own only where it is not bound to a thread.
        hasher: job === 'digest' ? 'wasm' : 'native',
        workerUrl: worker.path,
      });
      const content = rig.layers.someSmall(2);
      const image = makeImage({ layers: content.map(({ bytes }) => bytes) });
      await rig.makeRepository('verify');
      await uploader.pushImage({
        repository: 'verify',
        image: memoryImage(image),
        tags: ['v1'],
      });
      await expectEachSeed(title, async (seed) => {
        const random = randomFrom(seed);
        const repository = `worker/${seed}`;
        await rig.makeRepository(repository);
        const layer = rig.layers.any(random);
        const source =
          job === 'hash-file' || random() < 0.5 ? fileSource(layer.path) : bytesSource(layer.bytes);
        const times = isLasting(seed) ? WITHOUT_END : 1;
        worker.arm({ job, how: picked(HOWS, random), times });
        let partsRepeated = 0;
        const attempted = await attempt(
          job === 'download'
            ? uploader.verifyImage({ repository: 'verify', reference: 'v1' })
            : uploader.uploadLayer(
                { repository, source, checkFirst: job === 'hash-file' },
                { onEvent: ({ type }) => void (type === 'call-retried' && (partsRepeated += 1)) },
              ),
        );
        expect(worker.disarm(), 'failures to come').toBeLessThan(times);
        expect(attempted.ending).toBe(isLasting(seed) ? lasting : passing);
        expectOrder(rig.entries(repository), partsRepeated);
        if (attempted.ending === 'finishes' && job !== 'download') {
          await expectLayer(rig, repository, layer);
        }
        await rig.dropRepository(repository);
      });
      await uploader.close();
      await expectNothingMore(before);
    },
    CELL_MS_MAX,
  );

  test.runIf(process.platform === 'linux')(
    `${READ_ERROR.name}: in a worker`,
    async () => {
      await using rig = await FaultRig.start();
      using worker = failingWorker();
      const uploader = createUploader({
        ...uploaderOptionsFor(rig.emulator),
        workerUrl: worker.path,
      });
      await expectEachSeed(READ_ERROR.name, async (seed) => {
        const random = randomFrom(seed);
        const repository = `worker/${seed}`;
        await rig.makeRepository(repository);
        const layer = rig.layers.any(random);
        worker.arm({ job: 'fold', how: 'read-error', times: 1 });
        const source = fileSource(layer.path, { digest: layer.digest });
        const attempted = await attempt(uploader.uploadLayer({ repository, source }));
        expect(attempted).toMatchObject({
          ending: READ_ERROR.lasting,
          error: { details: { systemCode: 'EIO' } },
        });
        expect(rig.emulator.layers(repository)).toEqual([]);
        await rig.dropRepository(repository);
      });
      await uploader.close();
    },
    CELL_MS_MAX,
  );
});
