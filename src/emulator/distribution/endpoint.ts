/** Leads a request to its handler, once its body is there. */

import type { ApiCalls, OpenCall } from './api-calls.ts';
import { deleteManifest, putManifest } from './manifest-requests.ts';
import type { PushedManifest } from './manifest-requests.ts';
import {
  getBlob,
  getManifest,
  headBlob,
  listReferrers,
  listRepositories,
  listTags,
} from './pull-requests.ts';
import type { RegistryAnswer } from './registry-reply.ts';
import type { RequestContext } from './request-context.ts';
import { digestOf } from './route.ts';
import type { Route } from './route.ts';
import {
  chunkAnswer,
  completeUpload,
  dropUpload,
  startUpload,
  uploadStatus,
} from './upload-requests.ts';

/** @throws RegistryFailure or EcrException for a refusal, Diversion for what a fault wants. */
export async function answerTo(
  context: RequestContext,
  { endpoint, method, query }: Route,
  body: PushedManifest,
): Promise<RegistryAnswer> {
  const { calls } = context;
  switch (endpoint.kind) {
    case 'ping':
      return { statusCode: 200, headers: { 'content-type': 'application/json' }, body: '{}' };
    case 'catalog':
      return listRepositories(context, openCall(calls));
    case 'tags':
      return listTags(context, openCall(calls), endpoint.repositoryName);
    case 'referrers':
      return listReferrers(context, openCall(calls), endpoint.repositoryName, endpoint.digest);
    case 'blob': {
      const answer = method === 'HEAD' ? headBlob : getBlob;
      return answer(context, openCall(calls), endpoint.repositoryName, endpoint.digest);
    }
    case 'manifest': {
      const { reference, repositoryName } = endpoint;
      const call = openCall(calls);
      if (method === 'PUT') return putManifest(context, call, repositoryName, reference, body);
      if (method === 'DELETE') return deleteManifest(context, call, repositoryName, reference);
      return getManifest(context, call, repositoryName, reference);
    }
    case 'upload-start':
      return startUpload(context, openCall(calls), endpoint.repositoryName);
    case 'upload': {
      const { repositoryName, uploadId } = endpoint;
      switch (method) {
        case 'PATCH':
          if (calls.last === undefined) calls.begin(undefined);
          return chunkAnswer(context, repositoryName, uploadId);
        case 'PUT': {
          const call = calls.begin('CompleteLayerUpload');
          const digest = digestOf(query.get('digest'));
          return completeUpload(context, call, repositoryName, uploadId, digest);
        }
        case 'DELETE':
          return dropUpload(context, repositoryName, uploadId);
        default:
          return uploadStatus(context, repositoryName, uploadId);
      }
    }
  }
}

// All but the calls of an upload are opened with the head of their request.
function openCall(calls: ApiCalls): OpenCall {
  if (calls.last === undefined) throw new Error('A request without a call');
  return calls.last;
}
