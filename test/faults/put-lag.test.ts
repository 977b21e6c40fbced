import { expect, test } from 'vitest';
import { randomFrom } from '../journal/killable-program.ts';
import { makeImage, memoryImage } from '../image/memory-image.ts';
import { expectEachSeed, isLasting } from './campaign.ts';
import { attempt } from './drive.ts';
import { FaultRig, PATIENT } from './fault-rig.ts';
import { PUT_LAG } from './local-faults.ts';

const HOUR_MS = 3_600_000;

test(`${PUT_LAG.name}: PutImage`, async () => {
  await using soon = await FaultRig.start({ emulator: { putImageLagMs: 250 } });
  await using never = await FaultRig.start({ emulator: { putImageLagMs: HOUR_MS } });
  // Side by side: they wait for seconds, and do nothing else.
  await expectEachSeed(
    PUT_LAG.name,
    async (seed) => {
      const random = randomFrom(seed);
      const rig = isLasting(seed) ? never : soon;
      const repository = `lag/${seed}`;
      await rig.makeRepository(repository);
      const layers = rig.layers.someSmall(1 + Math.floor(random() * 3));
      const image = makeImage({ layers: layers.map(({ bytes }) => bytes) });
      const attempted = await attempt(
        rig
          .uploader({ ...PATIENT, variation: seed })
          .pushImage({ repository, image: memoryImage(image), tags: ['v1'] }),
      );
      expect(attempted.ending).toBe(isLasting(seed) ? PUT_LAG.lasting : PUT_LAG.passing);
      const manifest = await rig.manifestOf(repository, 'v1');
      expect(manifest === undefined).toBe(isLasting(seed));
    },
    20,
  );
}, 60_000);
