/** Requests that start, end, ask for or drop the upload of a layer. */

import type { Digest } from '../../digest.ts';
import { isDigest } from '../../digest.ts';
import { EcrException } from '../exception.ts';
import type { OperationOutput } from '../operation.ts';
import { performOperation } from '../operation-call.ts';
import type { UploadState } from '../upload-state.ts';
import type { OpenCall } from './api-calls.ts';
import { RegistryFailure } from './registry-failure.ts';
import type { RegistryAnswer } from './registry-reply.ts';
import type { RequestContext } from './request-context.ts';

/** Starts an upload, or spares one by mounting a layer of another repository. */
export async function startUpload(
  context: RequestContext,
  call: OpenCall,
  repositoryName: string,
): Promise<RegistryAnswer> {
  const { calls, service } = context;
  const digest = context.query.get('mount');
  const from = context.query.get('from');
  let mounted: Digest | undefined;
  const output = await calls.run(call, { repositoryName }, async () => {
    if (isDigest(digest) && from !== null && (await mount(context, repositoryName, from, digest))) {
      await service.serve('InitiateLayerUpload');
      mounted = digest;
      return {};
    }
    return performOperation(service, 'InitiateLayerUpload', { repositoryName });
  });
  if (mounted !== undefined) return layerAnswer(context, repositoryName, mounted);
  const uploadId = String(output['uploadId']);
  return {
    statusCode: 202,
    headers: { ...uploadHeaders(context, repositoryName, uploadId), range: '0-0' },
  };
}

async function mount(
  { service: { now, registry } }: RequestContext,
  repositoryName: string,
  from: string,
  digest: Digest,
): Promise<boolean> {
  const target = registry.repository({ repositoryName });
  return registry.mountLayer(target, registry.repositories.get(from), digest, now());
}

/** After the bytes of a PATCH have been taken. */
export function chunkAnswer(
  context: RequestContext,
  repositoryName: string,
  uploadId: string,
): RegistryAnswer {
  const upload = uploadOf(context, repositoryName, uploadId);
  const isEcr = context.service.options.chunkReplies === 'ecr';
  return {
    // 201 and a `Range` that stays at the first chunk (containers-roadmap#2831, H; regclient#82).
    statusCode: isEcr ? 201 : 202,
    headers: {
      ...uploadHeaders(context, repositoryName, uploadId),
      range: rangeOf(upload, isEcr),
    },
  };
}

export async function completeUpload(
  context: RequestContext,
  call: OpenCall,
  repositoryName: string,
  uploadId: string,
  digest: Digest,
): Promise<RegistryAnswer> {
  const input = { repositoryName, uploadId, layerDigests: [digest] };
  try {
    await context.calls.run(call, input, () => completed(context, input));
  } catch (error) {
    // Pushing what is there already succeeds at the docker door (M).
    const isThere = error instanceof EcrException && error.name === 'LayerAlreadyExistsException';
    if (!isThere) throw error;
  }
  return layerAnswer(context, repositoryName, digest);
}

function completed(
  { service }: RequestContext,
  input: Readonly<Record<string, unknown>>,
): Promise<OperationOutput> {
  return performOperation(service, 'CompleteLayerUpload', input);
}

/** ECR does not know its own uploads when it is asked (dotnet/sdk#33019, seen on ECR Public, M). */
export function uploadStatus(
  context: RequestContext,
  repositoryName: string,
  uploadId: string,
): RegistryAnswer {
  if (context.service.options.chunkReplies === 'ecr') throw unknownUpload();
  const upload = uploadOf(context, repositoryName, uploadId);
  return {
    statusCode: 204,
    headers: {
      ...uploadHeaders(context, repositoryName, uploadId),
      range: rangeOf(upload, false),
    },
  };
}

/** The API has no such operation, so this is the distribution specification's (?). */
export async function dropUpload(
  context: RequestContext,
  repositoryName: string,
  uploadId: string,
): Promise<RegistryAnswer> {
  const upload = uploadOf(context, repositoryName, uploadId);
  await context.service.registry.dropUpload(upload.identity.uploadId);
  return { statusCode: 204 };
}

/** @throws EcrException `UploadNotFoundException`, `RepositoryNotFoundException` */
function uploadOf(
  { service: { now, registry } }: RequestContext,
  repositoryName: string,
  uploadId: string,
): UploadState {
  return registry.upload(registry.repository({ repositoryName }), uploadId, now());
}

function rangeOf({ nextByte, parts }: UploadState, isStuck: boolean): string {
  const endByte = isStuck ? (parts[0]?.endByte ?? 0) : nextByte;
  return `0-${Math.max(0, endByte - 1)}`;
}

function uploadHeaders(
  { origin }: RequestContext,
  repositoryName: string,
  uploadId: string,
): Record<string, string> {
  return {
    // Absolute, as in regclient#81 (H).
    location: `${origin}/v2/${repositoryName}/blobs/uploads/${uploadId}`,
    'docker-upload-uuid': uploadId,
  };
}

function layerAnswer(
  { origin }: RequestContext,
  repositoryName: string,
  digest: Digest,
): RegistryAnswer {
  return {
    statusCode: 201,
    headers: {
      location: `${origin}/v2/${repositoryName}/blobs/${digest}`,
      'docker-content-digest': digest,
    },
  };
}

function unknownUpload(): RegistryFailure {
  return new RegistryFailure(404, 'BLOB_UPLOAD_UNKNOWN', 'blob upload unknown to registry');
}
