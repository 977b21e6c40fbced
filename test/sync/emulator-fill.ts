/** Fills an emulator with a corpus by its own API, without sockets and signatures: thousands of calls a second. */

import type { Digest } from '../../src/digest.ts';
import type { Emulator } from '../../src/emulator/index.ts';
import { type Corpus, type CorpusManifest, readBlob } from './corpus.ts';

const TARGET = 'AmazonEC2ContainerRegistry_V20150921';

/** @param emulator one that does not verify signatures */
export async function fillEmulator(emulator: Emulator, corpus: Corpus): Promise<void> {
  for (const { name: repositoryName, blobs, manifests, tags } of corpus.repositories) {
    await call(emulator, 'CreateRepository', { repositoryName });
    for (const digest of blobs) await putLayer(emulator, corpus, repositoryName, digest);
    const put = ({ bytes, mediaType }: CorpusManifest, imageTag?: string): Promise<unknown> =>
      call(emulator, 'PutImage', {
        repositoryName,
        imageManifest: bytes.toString(),
        imageManifestMediaType: mediaType,
        ...(imageTag !== undefined && { imageTag }),
      });
    for (const manifest of manifests.values()) await put(manifest);
    for (const [tag, digest] of tags) {
      const manifest = manifests.get(digest);
      if (manifest !== undefined) await put(manifest, tag);
    }
  }
}

async function putLayer(
  emulator: Emulator,
  corpus: Corpus,
  repositoryName: string,
  digest: Digest,
): Promise<void> {
  const bytes = Buffer.concat([...(readBlob(corpus, digest)?.pieces ?? [])]);
  const { uploadId } = await call(emulator, 'InitiateLayerUpload', { repositoryName });
  await call(emulator, 'UploadLayerPart', {
    repositoryName,
    uploadId,
    partFirstByte: 0,
    partLastByte: bytes.length - 1,
    layerPartBlob: bytes.toString('base64'),
  });
  await call(emulator, 'CompleteLayerUpload', { repositoryName, uploadId, layerDigests: [digest] });
}

async function call(
  { requestHandler }: Emulator,
  operation: string,
  input: object,
): Promise<Readonly<Record<string, unknown>>> {
  const { response } = await requestHandler.handle({
    method: 'POST',
    path: '/',
    headers: {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': `${TARGET}.${operation}`,
    },
    body: JSON.stringify(input),
  });
  const pieces: Buffer[] = [];
  for await (const piece of response.body) pieces.push(piece as Buffer);
  const text = Buffer.concat(pieces).toString();
  if (response.statusCode !== 200) throw new Error(`${operation}: ${text}`);
  return JSON.parse(text) as Record<string, unknown>;
}
