import { describe, expect, test } from 'vitest';
import { partFraming } from '../../src/ecr/part-framing.ts';
import { PART_HEADER_BYTES, partMemoryBytes } from '../../src/layer/part-memory.ts';
import { LAYER_SIZE_MAX_BYTES } from '../../src/limits.ts';

const uploadId = '6cb64b8a-9378-4b1c-a5d1-4a1d6ca5f3b5';
const range = { firstByte: 5, endByte: 11 };

describe('the body of UploadLayerPart', () => {
  test('has the bytes first, and what names the part last', () => {
    const { prefix, suffix } = partFraming('123456789012')(
      { repository: 'team/app', uploadId },
      range,
    );
    const body: unknown = JSON.parse(`${prefix}Zm9vYmFy${suffix}`);
    expect(body).toEqual({
      layerPartBlob: 'Zm9vYmFy',
      repositoryName: 'team/app',
      registryId: '123456789012',
      uploadId,
      partFirstByte: 5,
      partLastByte: 10,
    });
    expect(prefix).toBe('{"layerPartBlob":"');
    expect(Object.keys(body as object)[0]).toBe('layerPartBlob');
  });

  test('leaves the registry out where none is given', () => {
    const { prefix, suffix } = partFraming(undefined)({ repository: 'team/app', uploadId }, range);
    expect(JSON.parse(`${prefix}${suffix}`)).not.toHaveProperty('registryId');
  });

  test('fits into the room that is kept for it, and is ASCII', () => {
    const { prefix, suffix } = partFraming('123456789012')(
      { repository: 'a'.repeat(256), uploadId },
      { firstByte: LAYER_SIZE_MAX_BYTES - 1, endByte: LAYER_SIZE_MAX_BYTES },
    );
    expect(prefix.length + suffix.length).toBeLessThanOrEqual(
      partMemoryBytes(0) - PART_HEADER_BYTES,
    );
    expect(Buffer.byteLength(prefix + suffix)).toBe((prefix + suffix).length);
  });
});
