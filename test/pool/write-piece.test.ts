import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PIECE_MIN_BYTES, WritePiece } from '../../src/pool/write-piece.ts';

const MAX_BYTES = 1024 * 1024;

test('a quick socket soon gets the largest pieces', () => {
  const piece = new WritePiece(MAX_BYTES);
  const sizes = Array.from({ length: 5 }, () => {
    const { sizeBytes } = piece;
    piece.taken(sizeBytes, 1);
    return sizeBytes / 1024;
  });
  expect(sizes).toEqual([16, 64, 256, 1024, 1024]);
});

test('a socket that becomes slow gets what it takes in a second, and never less than the least', () => {
  const piece = new WritePiece(MAX_BYTES);
  for (let count = 0; count < 4; count += 1) piece.taken(piece.sizeBytes, 1);
  piece.taken(MAX_BYTES, 4000);
  expect(piece.sizeBytes).toBe(MAX_BYTES / 4);
  piece.taken(MAX_BYTES / 4, 500);
  expect(piece.sizeBytes).toBe(MAX_BYTES / 4);
  piece.taken(MAX_BYTES / 4, 1_000_000);
  expect(piece.sizeBytes).toBe(PIECE_MIN_BYTES);
});

test('at any steady speed above the least a piece is taken within the stall time-out', () => {
  fc.assert(
    fc.property(fc.integer({ min: 550, max: 500_000_000 }), (bytesPerSecond) => {
      const piece = new WritePiece(MAX_BYTES);
      for (let count = 0; count < 50; count += 1) {
        const durationMs = (piece.sizeBytes / bytesPerSecond) * 1000;
        expect(durationMs).toBeLessThan(30_000);
        piece.taken(piece.sizeBytes, durationMs);
      }
    }),
  );
});
