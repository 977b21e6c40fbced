/** How a layer is cut into parts. Pure. */

import { LongshoreError } from '../errors.ts';
import {
  LAYER_SIZE_MAX_BYTES,
  MIB,
  PART_SIZE_MAX_BYTES,
  PART_SIZE_MIN_BYTES,
  PARTS_PER_LAYER_MAX,
} from '../limits.ts';
import type { ByteRange } from './ports.ts';

/** Gives the parts of one layer, front to back. */
export interface PartPlan {
  /** Size of the first part; of every part but the last where the layer's size is known. */
  readonly partSizeBytes: number;
  /** `undefined` where the layer's size is unknown. */
  readonly partCount: number | undefined;
  /** The range of part `index`, which begins at `firstByte`; without an end for unknown sizes. */
  partAt(index: number, firstByte: number): ByteRange | undefined;
}

/**
 * Plans the parts of a layer.
 * @param sizeBytes the layer's size, or `undefined` if only the end of the data will tell
 * @param preferredBytes part size asked for, by the caller or by ECR
 * @throws LongshoreError E_LAYER_TOO_LARGE for a layer above 52,000 MiB (quotas page, H)
 */
export function planParts(
  sizeBytes: number | undefined,
  preferredBytes: number,
  source: string,
): PartPlan {
  const preferred = Math.min(Math.max(preferredBytes, PART_SIZE_MIN_BYTES), PART_SIZE_MAX_BYTES);
  return sizeBytes === undefined
    ? planUnknownSize(preferred, source)
    : planKnownSize(sizeBytes, preferred, source);
}

function planKnownSize(sizeBytes: number, preferredBytes: number, source: string): PartPlan {
  let partSizeBytes = preferredBytes;
  if (Math.ceil(sizeBytes / partSizeBytes) > PARTS_PER_LAYER_MAX) {
    // The smallest whole MiB that fits the layer into the parts there may be.
    partSizeBytes = Math.ceil(sizeBytes / PARTS_PER_LAYER_MAX / MIB) * MIB;
  }
  if (sizeBytes > LAYER_SIZE_MAX_BYTES || partSizeBytes > PART_SIZE_MAX_BYTES) {
    throw layerTooLarge(sizeBytes, partSizeBytes, source);
  }
  const partCount = Math.ceil(sizeBytes / partSizeBytes);
  return {
    partSizeBytes,
    partCount,
    partAt: (_index, firstByte) =>
      firstByte >= sizeBytes
        ? undefined
        : { firstByte, endByte: Math.min(firstByte + partSizeBytes, sizeBytes) },
  };
}

/**
 * A stream may turn out to be of any size up to the limit. It goes in preferred parts as long as the
 * largest parts could still carry a layer of the largest size; from there on in largest parts.
 */
function planUnknownSize(preferredBytes: number, source: string): PartPlan {
  return {
    partSizeBytes: preferredBytes,
    partCount: undefined,
    partAt: (index, firstByte) => {
      const partsLeft = PARTS_PER_LAYER_MAX - index - 1;
      const bytesLeft = LAYER_SIZE_MAX_BYTES - firstByte;
      if (partsLeft < 0 || bytesLeft <= 0) {
        throw layerTooLarge(firstByte + 1, preferredBytes, source);
      }
      const enough = partsLeft * PART_SIZE_MAX_BYTES >= bytesLeft - preferredBytes;
      const lengthBytes = enough ? preferredBytes : PART_SIZE_MAX_BYTES;
      return { firstByte, endByte: firstByte + Math.min(lengthBytes, bytesLeft) };
    },
  };
}

function layerTooLarge(sizeBytes: number, partSizeBytes: number, source: string): LongshoreError {
  return new LongshoreError(
    'E_LAYER_TOO_LARGE',
    `${source} has ${sizeBytes} bytes or more; ECR takes layers of at most ` +
      `${LAYER_SIZE_MAX_BYTES} bytes in at most ${PARTS_PER_LAYER_MAX} parts; ` +
      'split the content over several layers',
    {
      sizeBytes,
      limitBytes: LAYER_SIZE_MAX_BYTES,
      partSizeBytes,
      partCountMax: PARTS_PER_LAYER_MAX,
    },
  );
}
