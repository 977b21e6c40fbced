/** Works out what a push has to do: the graph on one side, the repository on the other. */

import { LongshoreError } from '../errors.ts';
import { planParts } from '../layer/part-plan.ts';
import { RegistryFault } from '../layer/ports.ts';
import { callRegistry, type ImageContext } from './image-context.ts';
import type { GraphBlob, ImageGraph } from './image-graph.ts';
import type { ImagePlan, PlannedBlob, PlannedManifest, PlannedTag } from './image-plan.ts';
import { neededBlobs, readContent, type RepositoryContent } from './repository-content.ts';

/** @throws LongshoreError E_TAG_IMMUTABLE among others; RegistryFault */
export async function planPush(
  graph: ImageGraph,
  tags: readonly string[],
  context: ImageContext,
  signal: AbortSignal,
): Promise<ImagePlan> {
  const content = await readContent(graph, tags, context, signal);
  const { manifest } = graph.root;
  const { repository, image: source } = context.name;
  const plannedTags = tags.map((tag) => planTag(tag, graph, content));
  const moved = plannedTags.filter(({ action }) => action === 'moved');
  if (moved.length > 0) await assertMovable(moved, graph, context, signal);
  const blobs = planBlobs(graph, content);
  const travelling = blobs.filter(({ action }) => action === 'upload');
  const resting = blobs.filter(({ reason }) => reason !== 'missing' && reason !== 'foreign');
  const plan = {
    repository,
    source,
    digest: manifest.digest,
    mediaType: manifest.mediaType,
    repositoryExists: content.exists,
    tags: plannedTags,
    manifests: graph.nodes.map((node): PlannedManifest => {
      const { digest, bytes, mediaType, artifactType } = node.manifest;
      return {
        digest,
        sizeBytes: bytes.length,
        mediaType,
        // A copy: what a plan holds is frozen when it is told of.
        platform: node.descriptor.platform && { ...node.descriptor.platform },
        artifactType,
        role: node.role,
        action: content.manifests.has(digest) ? 'skip' : 'put',
      };
    }),
    blobs,
    uploadBytes: sizeOf(travelling),
    presentBytes: sizeOf(resting),
  };
  return { ...plan, calls: callsOf(plan, context.partSizeBytes) };
}

function planTag(tag: string, graph: ImageGraph, content: RepositoryContent): PlannedTag {
  const previousDigest = content.tags.get(tag);
  if (previousDigest === undefined) return { tag, action: 'new', previousDigest };
  const unchanged = previousDigest === graph.root.manifest.digest;
  return { tag, action: unchanged ? 'unchanged' : 'moved', previousDigest };
}

/** A tag that may not move is told of before a byte travels. */
async function assertMovable(
  moved: readonly PlannedTag[],
  graph: ImageGraph,
  context: ImageContext,
  signal: AbortSignal,
): Promise<void> {
  const { repository } = context.name;
  const tags = moved.map(({ tag }) => tag);
  let immutable: readonly string[];
  try {
    immutable = await callRegistry(context, 'DescribeRepositories', signal, () =>
      context.registry.immutableTags(repository, tags, signal),
    );
  } catch (error) {
    // Who may push need not be allowed to describe; PutImage will tell.
    if (error instanceof RegistryFault && error.error.code === 'E_ACCESS_DENIED') return;
    throw error;
  }
  const first = moved.find(({ tag }) => immutable.includes(tag));
  if (first === undefined) return;
  throw tagImmutable(repository, first.tag, graph.root.manifest.digest, first.previousDigest);
}

export function tagImmutable(
  repository: string,
  tag: string,
  digest: PlannedTag['previousDigest'] & string,
  existingDigest: PlannedTag['previousDigest'],
): LongshoreError<'E_TAG_IMMUTABLE'> {
  const existing = existingDigest ?? 'another image';
  return new LongshoreError(
    'E_TAG_IMMUTABLE',
    `${repository}:${tag} is ${existing} and cannot become ${digest}: the repository is immutable. ` +
      'Use another tag, or let the repository change tags (aws ecr put-image-tag-mutability)',
    { repository, tag, digest, existingDigest },
  );
}

function planBlobs(graph: ImageGraph, content: RepositoryContent): PlannedBlob[] {
  const needed = new Set(neededBlobs(graph, content.manifests));
  const blobs = [...graph.blobs.values()].map((blob): PlannedBlob => {
    const { digest, sizeBytes, mediaType } = blob.descriptor;
    const reason = reasonOf(blob, needed, content);
    const action = reason === 'missing' ? 'upload' : 'skip';
    return { digest, sizeBytes, mediaType, kind: blob.kind, action, reason };
  });
  // A layer is a chain of parts, so the longest chain begins first.
  return blobs.toSorted((a, b) => b.sizeBytes - a.sizeBytes);
}

function reasonOf(
  blob: GraphBlob,
  needed: ReadonlySet<GraphBlob>,
  content: RepositoryContent,
): PlannedBlob['reason'] {
  if (blob.isForeign) return 'foreign';
  if (!needed.has(blob)) return 'image-present';
  return content.blobs.has(blob.descriptor.digest) ? 'present' : 'missing';
}

function callsOf(
  plan: Omit<ImagePlan, 'calls'>,
  partSizeBytes: number,
): Readonly<Record<string, number>> {
  const uploads = plan.blobs.filter(({ action }) => action === 'upload');
  const parts = uploads.reduce(
    (sum, { sizeBytes, digest }) =>
      sum + (planParts(sizeBytes, partSizeBytes, digest).partCount ?? 0),
    0,
  );
  const puts = plan.manifests.filter(({ action, role }) => action === 'put' && role !== 'root');
  const counts = {
    CreateRepository: plan.repositoryExists ? 0 : 1,
    InitiateLayerUpload: uploads.length,
    UploadLayerPart: parts,
    CompleteLayerUpload: uploads.length,
    PutImage: puts.length + rootPuts(plan).length,
  };
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
}

/** The tags with which the root has to be put; one `undefined` to put it without any. */
export function rootPuts(
  plan: Pick<ImagePlan, 'tags' | 'manifests'>,
): readonly (string | undefined)[] {
  const changed = plan.tags.flatMap(({ tag, action }) => (action === 'unchanged' ? [] : [tag]));
  if (changed.length > 0) return changed;
  const isPut = plan.manifests.some(({ role, action }) => role === 'root' && action === 'put');
  return isPut ? [undefined] : [];
}

function sizeOf(blobs: readonly PlannedBlob[]): number {
  return blobs.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}
