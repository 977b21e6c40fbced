import fc from 'fast-check';
import { expect, test } from 'vitest';
import { UploadState, refusalOfDigests } from '../../src/emulator/upload-state.ts';

const MIB = 1024 * 1024;
const identity = {
  uploadId: '6cb64b8a-9378-0e33-90c3-7ea1e7ad2a6f',
  repositoryName: 'team/app',
  registryId: '123456789012',
  startedAtMs: 0,
};
const rules = { partSizeMaxBytes: 20 * MIB, requireConsecutiveParts: true };

function send(
  state: UploadState,
  firstByte: number,
  sizeBytes: number,
  given: typeof rules = rules,
): string | undefined {
  const part = { firstByte, endByte: firstByte + sizeBytes };
  const refusal = state.refusalOfPart(part, sizeBytes, given);
  if (refusal === undefined) state.accept(part);
  return refusal?.name;
}

test('the accepted parts are always a gapless prefix, whatever is sent', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.record({
          jump: fc.constantFrom(0, 0, 0, -1, 1, 5),
          sizeBytes: fc.constantFrom(1, 7, 5 * MIB, 10 * MIB, 20 * MIB, 20 * MIB + 1),
        }),
        { maxLength: 30 },
      ),
      (attempts) => {
        const state = new UploadState(identity);
        const model: number[] = [];
        for (const { jump, sizeBytes } of attempts) {
          const expectedByte = model.reduce((sum, size) => sum + size, 0);
          const firstByte = Math.max(0, expectedByte + jump);
          const isSound = firstByte === expectedByte && sizeBytes <= 20 * MIB;
          expect(send(state, firstByte, sizeBytes) === undefined).toBe(isSound);
          if (isSound) model.push(sizeBytes);
        }
        expect(state.nextByte).toBe(model.reduce((sum, size) => sum + size, 0));
        expect(state.parts.map((part) => part.endByte - part.firstByte)).toEqual(model);
        const small = model.slice(0, -1).some((size) => size < 5 * MIB);
        const expected =
          model.length === 0
            ? 'EmptyUploadException'
            : small
              ? 'LayerPartTooSmallException'
              : undefined;
        expect(state.refusalOfCompletion()?.name).toBe(expected);
      },
    ),
  );
});

test('a refusal names the last byte that is kept', () => {
  const state = new UploadState(identity);
  send(state, 0, 10);
  const refusal = state.refusalOfPart({ firstByte: 4, endByte: 8 }, 4, rules);
  expect(refusal?.members).toEqual({
    registryId: identity.registryId,
    repositoryName: identity.repositoryName,
    uploadId: identity.uploadId,
    lastValidByteReceived: 9,
  });
});

test('the 4,201st part is over the limit', () => {
  const state = new UploadState(identity);
  for (let index = 0; index < 4200; index += 1) expect(send(state, index, 1)).toBeUndefined();
  expect(send(state, 4200, 1)).toBe('LimitExceededException');
});

test('a layer of 52,000 MiB fits and not a byte more', () => {
  const state = new UploadState(identity);
  for (let index = 0; index < 2600; index += 1) send(state, index * 20 * MIB, 20 * MIB);
  expect(state.nextByte).toBe(52_000 * MIB);
  expect(send(state, 52_000 * MIB, 1)).toBe('LimitExceededException');
});

test('ten mebibytes as the largest part is a switch', () => {
  const small = { ...rules, partSizeMaxBytes: 10 * MIB };
  const state = new UploadState(identity);
  expect(send(state, 0, 10 * MIB + 1, small)).toBe('InvalidLayerPartException');
  expect(send(state, 0, 10 * MIB, small)).toBeUndefined();
});

test('parts in any order are a named leniency', () => {
  const lenient = { ...rules, requireConsecutiveParts: false };
  expect(send(new UploadState(identity), 77, 5, lenient)).toBeUndefined();
});

test('only sha256 digests are compared and one that matches is enough', () => {
  const right = `sha256:${'a'.repeat(64)}`;
  const wrong = `sha256:${'b'.repeat(64)}`;
  expect(refusalOfDigests([wrong, right], right)).toBeUndefined();
  expect(refusalOfDigests(['md5:00'], right)).toBeUndefined();
  expect(refusalOfDigests([wrong], right)?.name).toBe('InvalidLayerException');
});
