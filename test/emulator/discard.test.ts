import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import {
  MIB,
  REPOSITORY,
  clientOf,
  digestOf,
  expectException,
  sendPart,
  startUpload,
  withEmulator,
} from './fixture.ts';

test('discarding keeps order, sizes and signatures, and believes the digest', () =>
  withEmulator({ discard: true }, async (emulator, client) => {
    const bytes = randomBytes(MIB + 1);
    const uploadId = await startUpload(client);
    await expectException(sendPart(client, uploadId, 1, bytes), {
      name: 'InvalidLayerPartException',
    });
    const forger = clientOf(emulator, {
      credentials: { ...emulator.credentials, secretAccessKey: 'other' },
    });
    await expectException(sendPart(forger, uploadId, 0, bytes), {
      name: 'InvalidSignatureException',
    });
    forger.destroy();
    expect(await sendPart(client, uploadId, 0, bytes)).toBe(bytes.length - 1);
    const layerDigest = digestOf('believed');
    const done = await client.completeLayerUpload({
      repositoryName: REPOSITORY,
      uploadId,
      layerDigests: [layerDigest],
    });
    expect(done.layerDigest).toBe(layerDigest);
    expect(emulator.layers(REPOSITORY)).toEqual([{ digest: layerDigest, sizeBytes: bytes.length }]);
    await expect(emulator.readLayer(REPOSITORY, layerDigest)).rejects.toThrow('told to discard');
  }));
