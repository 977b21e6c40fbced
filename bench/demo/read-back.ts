/**
 * Reads through AWS's own client what longshore wrote, and compares it with the local files.
 * Nothing of longshore is used here: it is what is being examined.
 */

import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import {
  BatchGetImageCommand,
  type ECRClient,
  GetDownloadUrlForLayerCommand,
} from '@aws-sdk/client-ecr';

/** The manifest under a tag, as text. */
export async function manifestOf(
  client: ECRClient,
  repository: string,
  tag: string,
): Promise<string | undefined> {
  const { images } = await client.send(
    new BatchGetImageCommand({ repositoryName: repository, imageIds: [{ imageTag: tag }] }),
  );
  return images?.[0]?.imageManifest;
}

/** Downloads a layer; hashes it and compares each byte with the file, both as streams. */
export async function readLayerBack(
  client: ECRClient,
  repository: string,
  digest: string,
  path: string,
  signal: AbortSignal,
): Promise<boolean> {
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
  return equalToFile && digest === `sha256:${hash.digest('hex')}`;
}
