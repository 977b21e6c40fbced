/**
 * Reads through AWS's own client what longshore wrote, and compares it with the local files.
 * Nothing of longshore is used here: it is what is being examined.
 */

import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import {
  BatchCheckLayerAvailabilityCommand,
  BatchGetImageCommand,
  type ECRClient,
  GetDownloadUrlForLayerCommand,
  PutImageCommand,
} from '@aws-sdk/client-ecr';
import { MANIFEST_MEDIA_TYPE } from './oci-image.ts';

/** What was found of one layer. */
export interface ReadBack {
  readonly sizeBytes: number;
  readonly digest: string;
  readonly equalToFile: boolean;
}

/** The digests that ECR calls available. */
export async function availableDigests(
  client: ECRClient,
  repository: string,
  digests: readonly string[],
): Promise<ReadonlySet<string>> {
  const reply = await client.send(
    new BatchCheckLayerAvailabilityCommand({
      repositoryName: repository,
      layerDigests: [...digests],
    }),
  );
  const available = (reply.layers ?? []).filter((layer) => layer.layerAvailability === 'AVAILABLE');
  return new Set(available.map((layer) => layer.layerDigest ?? ''));
}

/** Puts the image and reads its manifest back; tells whether all three digests agree. */
export async function putImage(
  client: ECRClient,
  repository: string,
  tag: string,
  manifest: string,
): Promise<{ readonly digest: string; readonly holds: boolean }> {
  const digest = `sha256:${createHash('sha256').update(manifest).digest('hex')}`;
  const put = await client.send(
    new PutImageCommand({
      repositoryName: repository,
      imageManifest: manifest,
      imageManifestMediaType: MANIFEST_MEDIA_TYPE,
      imageTag: tag,
    }),
  );
  const got = await client.send(
    new BatchGetImageCommand({ repositoryName: repository, imageIds: [{ imageTag: tag }] }),
  );
  const found = got.images?.[0];
  const holds =
    put.image?.imageId?.imageDigest === digest &&
    found?.imageId?.imageDigest === digest &&
    found.imageManifest === manifest;
  return { digest, holds };
}

/** Downloads a layer; hashes it and compares each byte with the file, both as streams. */
export async function readLayerBack(
  client: ECRClient,
  repository: string,
  digest: string,
  path: string,
  signal: AbortSignal,
): Promise<ReadBack> {
  const { downloadUrl } = await client.send(
    new GetDownloadUrlForLayerCommand({ repositoryName: repository, layerDigest: digest }),
  );
  if (downloadUrl === undefined) throw new Error(`ECR gave no address for ${digest}`);
  const response = await fetch(downloadUrl, { signal });
  if (!response.ok || response.body === null) {
    throw new Error(`the download of ${digest} was answered with ${response.status}`);
  }
  const hash = createHash('sha256');
  let sizeBytes = 0;
  let equalToFile = true;
  const file = await open(path);
  try {
    for await (const chunk of response.body) {
      const received = chunk as Uint8Array;
      hash.update(received);
      const expected = Buffer.allocUnsafe(received.length);
      const { bytesRead } = await file.read(expected, 0, received.length, sizeBytes);
      equalToFile &&= bytesRead === received.length && expected.equals(received);
      sizeBytes += received.length;
    }
    equalToFile &&= (await file.stat()).size === sizeBytes;
  } finally {
    await file.close();
  }
  return { sizeBytes, digest: `sha256:${hash.digest('hex')}`, equalToFile };
}
