/** Which endpoint of the distribution API a request line names. Pure; takes any text. */

import { isDigest } from '../../digest.ts';
import type { Digest } from '../../digest.ts';
import { TAG } from '../image-reference.ts';
import type { OperationName } from '../operation-name.ts';
import { RegistryFailure } from './registry-failure.ts';

/** A tag or a digest, never both. */
export type Reference = { readonly imageTag: string } | { readonly imageDigest: Digest };

interface InRepository {
  readonly repositoryName: string;
}

export type Endpoint =
  | { readonly kind: 'ping' | 'catalog' }
  | (InRepository & { readonly kind: 'tags' | 'upload-start' })
  | (InRepository & { readonly kind: 'manifest'; readonly reference: Reference })
  | (InRepository & { readonly kind: 'blob' | 'referrers'; readonly digest: Digest })
  | (InRepository & { readonly kind: 'upload'; readonly uploadId: string });

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export interface Route {
  readonly endpoint: Endpoint;
  readonly method: Method;
  /** What the request is translated to; the last of several. None for what the API cannot do. */
  readonly operation: OperationName | undefined;
  readonly query: URLSearchParams;
}

const NAME_SIZE_MAX_CHARACTERS = 256;
const NAME = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** The methods of each endpoint, and the API's operation for each (CloudTrail guide, H-M). */
const OPERATIONS: {
  readonly [Kind in Endpoint['kind']]: Partial<Record<Method, OperationName | undefined>>;
} = {
  ping: { GET: undefined, HEAD: undefined },
  catalog: { GET: 'DescribeRepositories' },
  tags: { GET: 'ListImages' },
  manifest: {
    GET: 'BatchGetImage',
    HEAD: 'BatchGetImage',
    PUT: 'PutImage',
    DELETE: 'BatchDeleteImage',
  },
  blob: { GET: 'GetDownloadUrlForLayer', HEAD: 'BatchCheckLayerAvailability' },
  'upload-start': { POST: 'InitiateLayerUpload' },
  upload: {
    PATCH: 'UploadLayerPart',
    PUT: 'CompleteLayerUpload',
    GET: undefined,
    DELETE: undefined,
  },
  referrers: { GET: 'ListImageReferrers' },
};

/** Whether a request line belongs here. */
export function isDistribution(target: string): boolean {
  return /^\/v2(?:[/?]|$)/.test(target);
}

/** The route of a request line, or why it has none. Never throws. */
export function routeOf(method: string, target: string): Route | RegistryFailure {
  try {
    return parsed(method, target);
  } catch (error) {
    if (error instanceof RegistryFailure) return error;
    throw error;
  }
}

function parsed(method: string, target: string): Route {
  const mark = target.indexOf('?');
  const path = mark === -1 ? target : target.slice(0, mark);
  const endpoint = endpointOf(path);
  const operations = OPERATIONS[endpoint.kind];
  if (!Object.hasOwn(operations, method)) {
    throw new RegistryFailure(405, 'UNSUPPORTED', 'The operation is unsupported.', {
      headers: { allow: Object.keys(operations).join(', ') },
    });
  }
  return {
    endpoint,
    method: method as Method,
    operation: operations[method as Method],
    query: new URLSearchParams(mark === -1 ? '' : target.slice(mark + 1)),
  };
}

function endpointOf(path: string): Endpoint {
  if (path === '/v2' || path === '/v2/') return { kind: 'ping' };
  if (path === '/v2/_catalog') return { kind: 'catalog' };
  const segments = path.split('/').slice(2).map(decoded);
  if (segments.at(-1) === '' && segments.at(-2) === 'uploads') segments.pop();
  // Names hold slashes and words like `tags`, so it is the end of the path that decides.
  const last = segments.at(-1) ?? '';
  const before = segments.at(-2);
  if (before === 'tags' && last === 'list') {
    return { kind: 'tags', repositoryName: nameOf(segments, 2) };
  }
  if (before === 'manifests') {
    return { kind: 'manifest', repositoryName: nameOf(segments, 2), reference: referenceOf(last) };
  }
  if (before === 'blobs' && last === 'uploads') {
    return { kind: 'upload-start', repositoryName: nameOf(segments, 2) };
  }
  if (before === 'uploads' && segments.at(-3) === 'blobs') {
    return { kind: 'upload', repositoryName: nameOf(segments, 3), uploadId: uploadIdOf(last) };
  }
  if (before === 'blobs' || before === 'referrers') {
    const kind = before === 'blobs' ? 'blob' : 'referrers';
    return { kind, repositoryName: nameOf(segments, 2), digest: digestOf(last) };
  }
  throw notFound();
}

function nameOf(segments: readonly string[], tailCount: number): string {
  const name = segments.slice(0, -tailCount).join('/');
  // A slash that came encoded is part of a segment and of no name.
  const isWhole = segments.every((segment) => !segment.includes('/'));
  if (isWhole && name.length <= NAME_SIZE_MAX_CHARACTERS && name.length > 1 && NAME.test(name)) {
    return name;
  }
  throw new RegistryFailure(400, 'NAME_INVALID', 'invalid repository name');
}

function referenceOf(text: string): Reference {
  if (text === '') throw notFound();
  if (text.includes(':')) return { imageDigest: digestOf(text) };
  if (TAG.test(text)) return { imageTag: text };
  throw new RegistryFailure(400, 'TAG_INVALID', 'manifest tag did not match the grammar of tags');
}

/** @throws RegistryFailure for anything but a sha256 digest */
export function digestOf(text: string | null): Digest {
  if (isDigest(text)) return text;
  throw new RegistryFailure(400, 'DIGEST_INVALID', 'expected a sha256 digest');
}

function uploadIdOf(text: string): string {
  if (UUID.test(text)) return text;
  throw new RegistryFailure(404, 'BLOB_UPLOAD_UNKNOWN', 'blob upload unknown to registry');
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new RegistryFailure(400, 'NAME_INVALID', 'the path is not soundly encoded');
  }
}

// Text of a request that ECR's router does not know (skopeo#819, H); there it is not even JSON.
function notFound(): RegistryFailure {
  return new RegistryFailure(404, 'UNSUPPORTED', '404 page not found');
}
