/** What is asked of the registry: images, layers, and lists of them. */

import type { OperationOutput } from '../operation.ts';
import type { OpenCall } from './api-calls.ts';
import { RegistryFailure } from './registry-failure.ts';
import type { RegistryAnswer } from './registry-reply.ts';
import type { RequestContext } from './request-context.ts';
import type { Reference } from './route.ts';
import type { Digest } from '../../digest.ts';

/** ECR sends its lists as text (docker_registry2#34, seen in 2019, M). */
const LIST_TYPE = 'text/plain; charset=utf-8';
const INDEX_TYPE = 'application/vnd.oci.image.index.v1+json';

interface Page {
  readonly nextToken?: string;
}

export async function getManifest(
  { calls }: RequestContext,
  call: OpenCall,
  repositoryName: string,
  reference: Reference,
): Promise<RegistryAnswer> {
  const output = await calls.run(call, { repositoryName, imageIds: [reference] });
  const { images } = output as {
    readonly images: readonly {
      readonly imageId: { readonly imageDigest: string };
      readonly imageManifest: string;
      readonly imageManifestMediaType: string;
    }[];
  };
  const image = images[0];
  // ECR's text (H).
  if (image === undefined) {
    throw new RegistryFailure(404, 'MANIFEST_UNKNOWN', 'Requested image not found');
  }
  return {
    statusCode: 200,
    headers: {
      'content-type': image.imageManifestMediaType,
      'docker-content-digest': image.imageId.imageDigest,
    },
    body: image.imageManifest,
  };
}

export async function headBlob(
  { calls }: RequestContext,
  call: OpenCall,
  repositoryName: string,
  digest: Digest,
): Promise<RegistryAnswer> {
  const output = await calls.run(call, { repositoryName, layerDigests: [digest] });
  const { layers } = output as {
    readonly layers: readonly {
      readonly layerAvailability: string;
      readonly layerSize: number;
      readonly mediaType?: string;
    }[];
  };
  const layer = layers[0];
  if (layer?.layerAvailability !== 'AVAILABLE') {
    throw new RegistryFailure(404, 'BLOB_UNKNOWN', 'blob unknown to registry');
  }
  return {
    statusCode: 200,
    headers: {
      // The media type and the digest were seen in ECR's reply (argocd-image-updater#216, H).
      'content-type': layer.mediaType ?? 'application/octet-stream',
      'content-length': String(layer.layerSize),
      'docker-content-digest': digest,
    },
  };
}

export async function getBlob(
  { calls }: RequestContext,
  call: OpenCall,
  repositoryName: string,
  layerDigest: Digest,
): Promise<RegistryAnswer> {
  const output = await calls.run(call, { repositoryName, layerDigest });
  return { statusCode: 307, headers: { location: String(output['downloadUrl']) } };
}

export async function listTags(
  context: RequestContext,
  call: OpenCall,
  repositoryName: string,
): Promise<RegistryAnswer> {
  const output = await context.calls.run(call, {
    repositoryName,
    filter: { tagStatus: 'TAGGED' },
    ...pageOf(context.query),
  });
  const { imageIds } = output as { readonly imageIds: readonly { readonly imageTag: string }[] };
  // In the API's order, which is not that of the names (docker_registry2#34, H).
  const tags = imageIds.map(({ imageTag }) => imageTag);
  return listOf(context, `/v2/${repositoryName}/tags/list`, { name: repositoryName, tags }, output);
}

export async function listRepositories(
  context: RequestContext,
  call: OpenCall,
): Promise<RegistryAnswer> {
  const output = await context.calls.run(call, pageOf(context.query));
  const repositories = (
    output as { readonly repositories: readonly { readonly repositoryName: string }[] }
  ).repositories.map(({ repositoryName }) => repositoryName);
  return listOf(context, '/v2/_catalog', { repositories }, output);
}

export async function listReferrers(
  context: RequestContext,
  call: OpenCall,
  repositoryName: string,
  imageDigest: Digest,
): Promise<RegistryAnswer> {
  const artifactTypes = context.query.getAll('artifactType');
  const { nextToken } = pageOf(context.query);
  const output = await context.calls.run(call, {
    repositoryName,
    subjectId: { imageDigest },
    ...(artifactTypes.length === 0 ? {} : { filter: { artifactTypes } }),
    ...(nextToken === undefined ? {} : { nextToken }),
  });
  const { referrers } = output as { readonly referrers: readonly OperationOutput[] };
  const manifests = referrers.map((referrer) => ({ ...referrer, artifactStatus: undefined }));
  const path = `/v2/${repositoryName}/referrers/${imageDigest}`;
  const index = { schemaVersion: 2, mediaType: INDEX_TYPE, manifests };
  const list = listOf(context, path, index, output);
  return {
    ...list,
    headers: {
      ...list.headers,
      'content-type': INDEX_TYPE,
      ...(artifactTypes.length === 0 ? {} : { 'oci-filters-applied': 'artifactType' }),
    },
  };
}

/**
 * `n` and `last` are the API's `maxResults` and `nextToken`: `last` is not a name that a client may
 * think up, and `n` above 1,000 is refused (crane#681 H, drydock#927 of ECR Public H).
 */
function pageOf(query: URLSearchParams): {
  readonly maxResults?: number;
  readonly nextToken?: string;
} {
  const n = query.get('n');
  const last = query.get('last');
  return {
    ...(n === null ? {} : { maxResults: /^\d+$/.test(n) ? Number(n) : 0 }),
    ...(last === null ? {} : { nextToken: last }),
  };
}

function listOf(
  { origin, query }: RequestContext,
  path: string,
  document: Readonly<Record<string, unknown>>,
  { nextToken }: Page,
): RegistryAnswer {
  const headers: Record<string, string> = { 'content-type': LIST_TYPE };
  if (nextToken !== undefined) {
    const next = new URLSearchParams({ last: nextToken });
    for (const name of ['n', 'artifactType']) {
      for (const value of query.getAll(name)) next.append(name, value);
    }
    headers['link'] = `<${origin}${path}?${next.toString()}>; rel="next"`;
  }
  return { statusCode: 200, headers, body: JSON.stringify(document) };
}
