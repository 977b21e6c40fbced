/** One open upload: what was accepted, and which part or end may come next. No I/O. */

import {
  LAYER_SIZE_MAX_BYTES,
  PARTS_PER_LAYER_MAX,
  PART_SIZE_MAX_BYTES,
  PART_SIZE_MIN_BYTES,
} from '../limits.ts';
import { EcrException, invalidParameter, limitExceeded } from './exception.ts';

/** Bytes `[firstByte, endByte)` of a layer. */
export interface PartRange {
  readonly firstByte: number;
  readonly endByte: number;
}

export interface UploadRules {
  /** Largest part; 20 MiB by the model, 10 MiB by the quotas page. */
  readonly partSizeMaxBytes: number;
  /** False lets a part start anywhere, as some other emulators do; ECR does not (H). */
  readonly requireConsecutiveParts: boolean;
}

export interface UploadIdentity {
  readonly uploadId: string;
  readonly repositoryName: string;
  readonly registryId: string;
  readonly startedAtMs: number;
}

export class UploadState {
  readonly identity: UploadIdentity;
  readonly #parts: PartRange[] = [];
  #sizeBytes = 0;
  #smallPartCount = 0;

  constructor(identity: UploadIdentity, parts: Iterable<PartRange> = []) {
    this.identity = identity;
    for (const part of parts) this.accept(part);
  }

  /** Where the next part must start; the size of the layer so far. */
  get nextByte(): number {
    return this.#sizeBytes;
  }

  get parts(): readonly PartRange[] {
    return this.#parts;
  }

  /** Why ECR would refuse this part with `contentSizeBytes` bytes of content, if it would. */
  refusalOfPart(
    part: PartRange,
    contentSizeBytes: number,
    rules: UploadRules,
  ): EcrException | undefined {
    if (contentSizeBytes > PART_SIZE_MAX_BYTES) {
      const limit = `Member must have length less than or equal to ${PART_SIZE_MAX_BYTES}`;
      return invalidParameter('layerPartBlob', limit);
    }
    // Order first: a part sent twice is told so, whatever else is wrong with it (section 3, H).
    if (rules.requireConsecutiveParts && part.firstByte !== this.#sizeBytes) {
      return this.#invalidPart(
        `First byte of the layer part is ${part.firstByte} instead of ${this.#sizeBytes}`,
      );
    }
    const sizeBytes = part.endByte - part.firstByte;
    if (sizeBytes !== contentSizeBytes) {
      return this.#invalidPart(
        `Layer part size ${contentSizeBytes} does not match the range of ${sizeBytes} bytes`,
      );
    }
    if (sizeBytes > rules.partSizeMaxBytes) {
      return this.#invalidPart(
        `Layer part size ${sizeBytes} is larger than the maximum of ${rules.partSizeMaxBytes}`,
      );
    }
    if (this.#parts.length >= PARTS_PER_LAYER_MAX) {
      return limitExceeded(`The limit of ${PARTS_PER_LAYER_MAX} parts per layer is exceeded`);
    }
    if (this.#sizeBytes + sizeBytes > LAYER_SIZE_MAX_BYTES) {
      return limitExceeded(`The limit of ${LAYER_SIZE_MAX_BYTES} bytes per layer is exceeded`);
    }
    return undefined;
  }

  /** Adds a part that {@link refusalOfPart} did not refuse. */
  accept(part: PartRange): void {
    const sizeBytes = part.endByte - part.firstByte;
    this.#parts.push(part);
    this.#sizeBytes += sizeBytes;
    if (sizeBytes < PART_SIZE_MIN_BYTES) this.#smallPartCount += 1;
  }

  /** Why the upload cannot be completed as it stands, the digest aside. */
  refusalOfCompletion(): EcrException | undefined {
    const { uploadId, repositoryName, registryId } = this.identity;
    if (this.#parts.length === 0) {
      return new EcrException(
        'EmptyUploadException',
        `The upload with id '${uploadId}' in the repository with name '${repositoryName}' in ` +
          `registry with id '${registryId}' cannot be completed because it does not have any parts`,
      );
    }
    const last = this.#parts.at(-1);
    const lastIsSmall =
      last !== undefined && last.endByte - last.firstByte < PART_SIZE_MIN_BYTES ? 1 : 0;
    if (this.#smallPartCount > lastIsSmall) {
      return new EcrException(
        'LayerPartTooSmallException',
        'All layer parts except the last part should be at least 5MB',
      );
    }
    return undefined;
  }

  #invalidPart(message: string): EcrException {
    const { uploadId, repositoryName, registryId } = this.identity;
    // The model's minimum is 0, so "nothing yet" and "one byte" look alike at the start (?).
    const lastValidByteReceived = Math.max(0, this.#sizeBytes - 1);
    return new EcrException('InvalidLayerPartException', message, {
      members: { registryId, repositoryName, uploadId, lastValidByteReceived },
    });
  }
}

/**
 * The digest under which a completed upload is known, or why the offered ones do not fit.
 * `layerDigests` are alternatives and only sha256 ones are compared (M).
 */
export function refusalOfDigests(
  layerDigests: readonly string[],
  computed: string,
): EcrException | undefined {
  const comparable = layerDigests.filter((digest) => digest.startsWith('sha256:'));
  if (comparable.length === 0) return undefined;
  if (comparable.some((digest) => digest.toLowerCase() === computed)) return undefined;
  return new EcrException(
    'InvalidLayerException',
    'None of the provided layer digests match the calculated layer digest',
  );
}
