import { createHash, randomBytes } from 'node:crypto';
import { ECR } from '@aws-sdk/client-ecr';
import type { ECRClientConfig } from '@aws-sdk/client-ecr';
import { expect } from 'vitest';
import { startEmulator } from '../../src/emulator/index.ts';
import type { Emulator, EmulatorOptions } from '../../src/emulator/index.ts';

export const MIB: number = 1024 * 1024;
export const REPOSITORY = 'team/app';

/** Runs `task` against a fresh emulator with one repository and a client, over HTTP. */
export async function withEmulator(
  options: EmulatorOptions,
  task: (emulator: Emulator, client: ECR) => Promise<void>,
): Promise<void> {
  const emulator = await startEmulator(options);
  const client = clientOf(emulator);
  try {
    await client.createRepository({ repositoryName: REPOSITORY });
    emulator.journal.clear();
    await task(emulator, client);
  } finally {
    client.destroy();
    await emulator.stop();
  }
}

/** One attempt per call, so that every answer is seen. */
export function clientOf(emulator: Emulator, config: ECRClientConfig = {}): ECR {
  return new ECR({
    endpoint: emulator.endpoint,
    region: emulator.region,
    credentials: emulator.credentials,
    maxAttempts: 1,
    ...config,
  });
}

export function digestOf(bytes: Uint8Array | string): `sha256:${string}` {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** Starts an upload and gives its id. */
export async function startUpload(
  client: ECR,
  repositoryName: string = REPOSITORY,
): Promise<string> {
  const { uploadId } = await client.initiateLayerUpload({ repositoryName });
  if (uploadId === undefined) throw new Error('no upload id');
  return uploadId;
}

export async function sendPart(
  client: ECR,
  uploadId: string,
  firstByte: number,
  bytes: Uint8Array,
): Promise<number | undefined> {
  const reply = await client.uploadLayerPart({
    repositoryName: REPOSITORY,
    uploadId,
    partFirstByte: firstByte,
    partLastByte: firstByte + bytes.length - 1,
    layerPartBlob: bytes,
  });
  return reply.lastByteReceived;
}

/** Uploads `bytes` as one part and completes the layer. */
export async function pushLayer(
  client: ECR,
  bytes: Uint8Array = randomBytes(64),
): Promise<`sha256:${string}`> {
  const uploadId = await startUpload(client);
  await sendPart(client, uploadId, 0, bytes);
  const digest = digestOf(bytes);
  await client.completeLayerUpload({
    repositoryName: REPOSITORY,
    uploadId,
    layerDigests: [digest],
  });
  return digest;
}

export function manifestOf(config: string, layers: readonly string[]): string {
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: config, size: 64 },
    layers: layers.map((digest) => ({
      mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
      digest,
      size: 64,
    })),
  });
}

/** Pushes a config and a layer of random bytes and an image of them; gives its manifest. */
export async function pushImage(client: ECR, imageTag?: string): Promise<string> {
  const config = await pushLayer(client);
  const layer = await pushLayer(client);
  const imageManifest = manifestOf(config, [layer]);
  await client.putImage({ repositoryName: REPOSITORY, imageManifest, imageTag });
  return imageManifest;
}

/** Expects a rejection that carries these members. */
export async function expectException(
  call: Promise<unknown>,
  expected: Readonly<Record<string, unknown>>,
): Promise<void> {
  await expect(call).rejects.toMatchObject(expected);
}

/** Sends an unsigned request; for emulators that do not verify signatures. */
export async function post(
  emulator: Emulator,
  operation: string,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Readonly<Record<string, string>> = {},
): Promise<{
  readonly status: number;
  readonly body: Record<string, unknown>;
  readonly headers: Headers;
}> {
  const response = await fetch(emulator.endpoint, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': `AmazonEC2ContainerRegistry_V20150921.${operation}`,
      ...headers,
    },
    body,
  });
  const text = await response.text();
  return {
    status: response.status,
    body: JSON.parse(text) as Record<string, unknown>,
    headers: response.headers,
  };
}
