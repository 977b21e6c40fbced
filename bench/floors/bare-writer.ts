/**
 * The floor of sending: bodies that are ready before the clock starts, written to sockets with
 * nothing between. Reads, hashes and encodes no layer; each part is the same prebuilt base64 with
 * its own last members, so it is the same count of bytes over the same protocol.
 */

import { createHash, randomFillSync } from 'node:crypto';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import type { Job, LayerFile, Outcome } from '../harness/protocol.ts';
import type { MeasuredWork } from '../programs/measured-run.ts';
import { measureContestant } from '../programs/measured-run.ts';
import type { Body } from './bare-connection.ts';
import { BareConnection } from './bare-connection.ts';

const PREFIX = '{"layerPartBlob":"';

/** Base64 of a part and the state of the body's hash after it. */
interface Prebuilt {
  readonly start: Buffer;
  readonly hash: ReturnType<typeof createHash>;
}

if (isMainThread) measureContestant(startWriters);
else await runWriter(workerData as Job);

/** Starts a thread a core, each with its share of the layers and its bodies built. */
async function startWriters(job: Job): Promise<MeasuredWork> {
  const threadCount = Math.min(availableParallelism(), job.layers.length);
  const writers = Array.from({ length: threadCount }, (_, thread) => {
    const layers = job.layers.filter((_layer, index) => index % threadCount === thread);
    return new Worker(fileURLToPath(import.meta.url), { workerData: { ...job, layers } });
  });
  await Promise.all(writers.map((writer) => once(writer, 'message')));
  return async (): Promise<Outcome> => {
    await Promise.all(
      writers.map(async (writer) => {
        const exited = once(writer, 'exit');
        writer.postMessage('go');
        const [code] = (await exited) as [number];
        if (code !== 0) throw new Error(`a writer ended with code ${code}`);
      }),
    );
    const layerBytes = job.layers.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    return { layerBytes, digests: [] };
  };
}

async function runWriter(job: Job): Promise<void> {
  const built = prebuildAll(job);
  parentPort?.postMessage('ready');
  await new Promise((resolve) => parentPort?.once('message', resolve));
  await Promise.all(job.layers.map((layer) => writeLayer(job, layer, built)));
}

/** A body for each size of part that occurs: the common one, and those of layers' ends. */
function prebuildAll({ layers, partSizeBytes }: Job): ReadonlyMap<number, Prebuilt> {
  const built = new Map<number, Prebuilt>();
  for (const layer of layers) {
    for (const { sizeBytes } of partsOf(layer, partSizeBytes)) {
      if (!built.has(sizeBytes)) built.set(sizeBytes, prebuild(sizeBytes));
    }
  }
  return built;
}

function partsOf(
  { sizeBytes }: LayerFile,
  partSizeBytes: number | undefined,
): { readonly firstByte: number; readonly sizeBytes: number }[] {
  if (partSizeBytes === undefined) throw new Error('the bare writer has to be told the part size');
  return Array.from({ length: Math.ceil(sizeBytes / partSizeBytes) }, (_, index) => {
    const firstByte = index * partSizeBytes;
    return { firstByte, sizeBytes: Math.min(partSizeBytes, sizeBytes - firstByte) };
  });
}

async function writeLayer(
  { server, repository: repositoryName, partSizeBytes }: Job,
  layer: LayerFile,
  built: ReadonlyMap<number, Prebuilt>,
): Promise<void> {
  const connection = await BareConnection.open(server);
  try {
    const initiated = await connection.call('InitiateLayerUpload', smallBody({ repositoryName }));
    const { uploadId } = initiated as { readonly uploadId: string };
    for (const { firstByte, sizeBytes } of partsOf(layer, partSizeBytes)) {
      const prebuilt = built.get(sizeBytes);
      if (prebuilt === undefined) throw new Error(`no body was built for ${sizeBytes} bytes`);
      const partLastByte = firstByte + sizeBytes - 1;
      const members = { repositoryName, uploadId, partFirstByte: firstByte, partLastByte };
      await connection.call('UploadLayerPart', partBody(prebuilt, members));
    }
    const completion = { repositoryName, uploadId, layerDigests: [layer.digest] };
    await connection.call('CompleteLayerUpload', smallBody(completion));
  } finally {
    connection.close();
  }
}

function prebuild(sizeBytes: number): Prebuilt {
  const base64 = randomFillSync(Buffer.allocUnsafe(sizeBytes)).toString('base64');
  const start = Buffer.from(`${PREFIX}${base64}`, 'latin1');
  return { start, hash: createHash('sha256').update(start) };
}

/** Only the last members differ, so only they are hashed anew. */
function partBody({ start, hash }: Prebuilt, members: object): Body {
  const end = Buffer.from(`",${JSON.stringify(members).slice(1)}`);
  return {
    pieces: [start, end],
    sizeBytes: start.length + end.length,
    sha256: hash.copy().update(end).digest('hex'),
  };
}

function smallBody(members: object): Body {
  const bytes = Buffer.from(JSON.stringify(members));
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { pieces: [bytes], sizeBytes: bytes.length, sha256 };
}
