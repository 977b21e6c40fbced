/** Receives a request's body: whole for most operations, as a stream for parts. */

import { BODY_SIZE_MAX_BYTES, PART_BODY_SIZE_MAX_BYTES } from './emulator-limits.ts';
import { EcrException, serializationFailure } from './exception.ts';
import type { OperationName } from './operation-name.ts';
import { PartBodyScanner } from './part-body-scanner.ts';
import { CountedContent, DecodedContent } from './part-content.ts';
import type { PartContent } from './part-content.ts';
import type { StagingBudget } from './staging-budget.ts';

export interface RequestBody {
  /** @throws EcrException when the body cannot become a request; the rest need not be written. */
  write(chunk: Buffer): void;
  /** The parsed members. @throws EcrException `SerializationException` */
  end(): unknown;
  readonly part: PartContent | undefined;
  /** Gives back what the body holds. */
  release(): void;
}

/** Largest body of an operation, in bytes. */
export function bodySizeMaxBytes(operation: OperationName | undefined): number {
  return operation === 'UploadLayerPart' ? PART_BODY_SIZE_MAX_BYTES : BODY_SIZE_MAX_BYTES;
}

export function bodyTooLarge(limitBytes: number): EcrException {
  return new EcrException(
    'RequestEntityTooLargeException',
    `The request body is larger than ${limitBytes} bytes`,
    { httpStatus: 413 },
  );
}

export class WholeBody implements RequestBody {
  readonly part: undefined = undefined;
  readonly #chunks: Buffer[] = [];

  write(chunk: Buffer): void {
    this.#chunks.push(chunk);
  }

  end(): unknown {
    try {
      return JSON.parse(Buffer.concat(this.#chunks).toString('utf8'));
    } catch {
      throw serializationFailure('The request body is not valid JSON');
    }
  }

  release(): void {
    this.#chunks.length = 0;
  }
}

export class PartBody implements RequestBody {
  readonly part: PartContent;
  readonly #scanner: PartBodyScanner;
  readonly #budget: StagingBudget;
  #stagedBytes = 0;

  constructor(keepsContent: boolean, sizeHintBytes: number, budget: StagingBudget) {
    this.#budget = budget;
    const contentHintBytes = Math.max(0, Math.floor((sizeHintBytes * 3) / 4));
    this.part = keepsContent
      ? new DecodedContent(Math.min(contentHintBytes, PART_BODY_SIZE_MAX_BYTES), (sizeBytes) => {
          budget.take(sizeBytes);
          this.#stagedBytes += sizeBytes;
        })
      : new CountedContent();
    this.#scanner = new PartBodyScanner(this.part);
  }

  write(chunk: Buffer): void {
    this.#scanner.write(chunk);
  }

  end(): unknown {
    const members = this.#scanner.end();
    const blob =
      typeof members === 'object' && members !== null && 'layerPartBlob' in members
        ? members.layerPartBlob
        : '';
    if (blob !== '' && blob !== null) throw serializationFailure('layerPartBlob must be a string');
    return members;
  }

  release(): void {
    this.#budget.give(this.#stagedBytes);
    this.#stagedBytes = 0;
  }
}
