import { readdir } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import type { FaultRule } from '../../src/emulator/index.ts';
import { bytesSource, createUploader, type LayerSource, streamSource } from '../../src/index.ts';
import { MIB } from '../../src/limits.ts';
import { temporaryFolder } from '../journal/temporary-folder.ts';
import { expectStored, reasonOf } from './expectation.ts';
import { digestOf, layerBytes } from './layer-bytes.ts';
import { REPOSITORY, startRig, uploaderOptionsFor } from './upload-rig.ts';

const bytes = layerBytes(5 * 5 * MIB + 1000);
const digest = digestOf(bytes);

const REFUSED: FaultRule = {
  operation: 'UploadLayerPart',
  action: { kind: 'fail', exception: 'InvalidParameterException' },
};

/** Two parts of a layer are at the emulator, and the next part will be refused for good. */
async function startScene() {
  const folder = await temporaryFolder();
  const rig = await startRig();
  const upload = async (source: LayerSource, stopAfter?: number) => {
    const uploader = createUploader({
      ...uploaderOptionsFor(rig.emulator),
      resumeDirectory: folder.path,
    });
    let partCount = 0;
    try {
      return await uploader.uploadLayer(
        { repository: REPOSITORY, source },
        {
          onEvent: ({ type }) => {
            if (type === 'part-acknowledged') partCount += 1;
            if (partCount === stopAfter) void uploader.destroy(new Error('stopped'));
          },
        },
      );
    } finally {
      await uploader.close();
    }
  };
  return {
    emulator: rig.emulator,
    upload,
    journals: () => readdir(folder.path),
    [Symbol.asyncDispose]: async () => {
      await rig[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

test('a resumed upload whose first part is refused for good gives way to a new one', async () => {
  await using scene = await startScene();
  await reasonOf(scene.upload(bytesSource(bytes), 2));
  expect(await scene.journals()).toHaveLength(1);
  scene.emulator.addFaults([REFUSED]);
  const receipt = await scene.upload(bytesSource(bytes));
  expect(receipt).toMatchObject({ outcome: 'uploaded', resumedBytes: 0 });
  await expectStored(scene.emulator, bytes);
  expect(await scene.journals()).toEqual([]);
});

test('that of a stream fails, and the next call starts a new one', async () => {
  await using scene = await startScene();
  const make = () => streamSource(Readable.from([bytes]), { digest, sizeBytes: bytes.length });
  await reasonOf(scene.upload(make(), 2));
  scene.emulator.addFaults([REFUSED]);
  expect(await reasonOf(scene.upload(make()))).toMatchObject({ code: 'E_REQUEST_INVALID' });
  expect(await scene.journals()).toEqual([]);
  expect(await scene.upload(make())).toMatchObject({ outcome: 'uploaded', resumedBytes: 0 });
  await expectStored(scene.emulator, bytes);
});
