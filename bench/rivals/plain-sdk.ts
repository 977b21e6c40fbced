/**
 * The program one writes with `@aws-sdk/client-ecr` alone, and writes well: parts of the same size,
 * one reused buffer a layer, the digest computed on the way, layers side by side.
 */

import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';
import { Agent } from 'node:https';
import { createSecureContext } from 'node:tls';
import {
  CompleteLayerUploadCommand,
  ECRClient,
  InitiateLayerUploadCommand,
  UploadLayerPartCommand,
} from '@aws-sdk/client-ecr';
import type { Job, LayerFile, Outcome } from '../harness/protocol.ts';
import { measureContestant } from '../programs/measured-run.ts';

async function uploadLayers(job: Job): Promise<Outcome> {
  const { endpoint, region, credentials, certificateAuthorities } = job.server;
  const client = new ECRClient({
    endpoint,
    region,
    credentials,
    ...(certificateAuthorities !== undefined && {
      requestHandler: { httpsAgent: trustingAgent(certificateAuthorities) },
    }),
  });
  try {
    const digests = await mapSideBySide(job.layers, job.layersInFlight, (layer) =>
      uploadLayer(client, job, layer),
    );
    const layerBytes = job.layers.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    return { layerBytes, digests };
  } finally {
    client.destroy();
  }
}

/** Beside Node's own authorities, which it would read for AWS as well. */
function trustingAgent(certificateAuthorities: string): Agent {
  const secureContext = createSecureContext();
  (secureContext.context as { addCACert(pem: string): void }).addCACert(certificateAuthorities);
  return new Agent({ keepAlive: true, secureContext });
}

async function uploadLayer(client: ECRClient, job: Job, layer: LayerFile): Promise<string> {
  const { repository: repositoryName } = job;
  const initiated = await client.send(new InitiateLayerUploadCommand({ repositoryName }));
  const { uploadId } = initiated;
  const buffer = Buffer.allocUnsafe(job.partSizeBytes ?? initiated.partSize ?? 0);
  const hash = createHash('sha256');

  const file = await open(layer.path);
  try {
    let firstByte = 0;
    while (firstByte < layer.sizeBytes) {
      const layerPartBlob = await readPart(file, buffer, firstByte);
      if (layerPartBlob.length === 0) throw new Error(`${layer.path} became shorter`);
      hash.update(layerPartBlob);
      const partLastByte = firstByte + layerPartBlob.length - 1;
      await client.send(
        new UploadLayerPartCommand({
          repositoryName,
          uploadId,
          partFirstByte: firstByte,
          partLastByte,
          layerPartBlob,
        }),
      );
      firstByte = partLastByte + 1;
    }
  } finally {
    await file.close();
  }

  const digest = `sha256:${hash.digest('hex')}`;
  const { layerDigest } = await client.send(
    new CompleteLayerUploadCommand({ repositoryName, uploadId, layerDigests: [digest] }),
  );
  if (layerDigest !== digest) throw new Error(`sent ${digest}, ECR has ${String(layerDigest)}`);
  return digest;
}

/** Fills the buffer from `position`; shorter at the end of the file. */
async function readPart(file: FileHandle, buffer: Buffer, position: number): Promise<Buffer> {
  let filled = 0;
  while (filled < buffer.length) {
    const { bytesRead } = await file.read(
      buffer,
      filled,
      buffer.length - filled,
      position + filled,
    );
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}

/** Maps in order of the items, at most `inFlight` at a time. */
async function mapSideBySide<Item, Result>(
  items: readonly Item[],
  inFlight: number,
  map: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  const entries = items.entries();
  const work = async (): Promise<void> => {
    for (const [index, item] of entries) results[index] = await map(item);
  };
  await Promise.all(Array.from({ length: inFlight }, work));
  return results;
}

measureContestant(async (job) => () => uploadLayers(job));
