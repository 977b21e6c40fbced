/** Ways to put base64 into a buffer that is used again and again. */

/**
 * Encodes `source` into `target` piece by piece: the string between the two stays small enough to
 * be collected cheaply, and the piece is still in the cache when `onPiece` looks at it.
 * @param pieceSizeBytes a multiple of 3, so that only the last piece has padding
 * @returns the count of characters written
 */
export function encodeInPieces(
  source: Buffer,
  target: Buffer,
  pieceSizeBytes: number,
  onPiece?: (piece: Buffer) => void,
): number {
  let offset = 0;
  for (let start = 0; start < source.length; start += pieceSizeBytes) {
    const text = source.toString('base64', start, start + pieceSizeBytes);
    const end = offset + target.write(text, offset, 'latin1');
    onPiece?.(target.subarray(offset, end));
    offset = end;
  }
  return offset;
}
