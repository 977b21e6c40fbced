/** What refers to a manifest: signatures, SBOMs, attestations. */

import type { Descriptor } from '../image/descriptor.ts';
import { imageInvalid } from '../image/image-errors.ts';
import { type JsonObject, JsonProblem } from '../image/json-document.ts';
import { readDescriptors } from '../image/manifest.ts';
import { OCI_INDEX } from '../image/media-type.ts';
import { PageTrail, readPage } from './list-page.ts';
import { ReadFault } from './read-fault.ts';
import type { ReadRequest, RegistrySession } from './session.ts';

export interface ReferrersRequest {
  readonly source: string;
  /** Of the referrers API. */
  readonly url: URL;
  readonly repository: string;
  /** For the index under the tag that stands in where there is no such API. */
  readonly standIn: ReadRequest;
}

/** Referrers of one manifest. */
const REFERRERS_MAX = 10_000;

/** How registries without the API answer, beside 404. */
const UNKNOWN_STATUS: ReadonlySet<number> = new Set([400, 404, 405, 406, 501]);

/** @throws ReadFault; LongshoreError E_IMAGE_INVALID */
export async function readReferrers(
  session: RegistrySession,
  request: ReferrersRequest,
  signal: AbortSignal,
): Promise<readonly Descriptor[]> {
  const { url, repository } = request;
  const listed = await readApi(session, request, url, repository, signal);
  if (listed !== undefined) return listed;
  const index = await readIndex(session, request.standIn, signal);
  return index === undefined ? [] : descriptorsIn(index.document, request.source);
}

async function readApi(
  session: RegistrySession,
  { source }: ReferrersRequest,
  first: URL,
  repository: string,
  signal: AbortSignal,
): Promise<readonly Descriptor[] | undefined> {
  const trail = new PageTrail();
  const found: Descriptor[] = [];
  let url: URL | undefined = first;
  while (url !== undefined) {
    const request: ReadRequest = {
      method: 'GET',
      url,
      repository,
      headers: { accept: OCI_INDEX },
      isContentAddressed: false,
    };
    const page = await readIndex(session, request, signal, trail);
    if (page === undefined) return found.length === 0 ? undefined : found;
    found.push(...descriptorsIn(page.document, source));
    if (found.length > REFERRERS_MAX) {
      throw imageInvalid(source, 'its referrers', `there are more than ${REFERRERS_MAX}`);
    }
    url = page.next;
  }
  return found;
}

/** `undefined` where there is nothing, or something else than an index. */
async function readIndex(
  session: RegistrySession,
  request: ReadRequest,
  signal: AbortSignal,
  trail?: PageTrail,
): Promise<{ readonly document: JsonObject; readonly next: URL | undefined } | undefined> {
  try {
    return await session.perform(
      request,
      async (reply) => {
        const [type = ''] = (reply.header('content-type') ?? '').split(';');
        if (type.trim() !== OCI_INDEX) {
          reply.discard();
          return undefined;
        }
        const document = await readPage(reply, session.options.stallTimeoutMs, signal);
        return { document, next: trail?.next(reply, request.url) };
      },
      signal,
    );
  } catch (error) {
    if (!(error instanceof ReadFault)) throw error;
    if (UNKNOWN_STATUS.has(error.facts.httpStatus ?? 0)) return undefined;
    throw error;
  }
}

function descriptorsIn(document: JsonObject, source: string): readonly Descriptor[] {
  try {
    return readDescriptors(document, 'manifests');
  } catch (error) {
    if (!(error instanceof JsonProblem)) throw error;
    throw imageInvalid(source, 'its list of referrers', error.message);
  }
}
