import type { FramePart } from '../layer/ports.ts';

/**
 * Frames a part as the body of an `UploadLayerPart` request (awsJson1_1; model, H). The bytes come
 * first and what names the part comes last: until the tail arrives, no server can know which part it
 * is looking at, nor verify its signature.
 */
export function partFraming(registryId: string | undefined): FramePart {
  return ({ repository, uploadId }, { firstByte, endByte }) => {
    const names = JSON.stringify({
      repositoryName: repository,
      ...(registryId !== undefined && { registryId }),
      uploadId,
      partFirstByte: firstByte,
      // Inclusive on the wire (AWS's resolver and CLI samples, H).
      partLastByte: endByte - 1,
    });
    return { prefix: '{"layerPartBlob":"', suffix: `",${names.slice(1)}` };
  };
}
