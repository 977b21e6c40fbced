/** Asks a registry to take a blob over from another of its repositories. One attempt. */

import { type Digest, isDigest } from '../digest.ts';
import { ReadFault } from './read-fault.ts';
import { refusalOf } from './refusal.ts';
import type { Transport } from './transport.ts';

export interface BlobMount {
  /** Of the registry. */
  readonly endpoint: URL;
  /** Value of the header of that name. */
  readonly authorization: string;
  readonly repository: string;
  /** Another repository, where a manifest names the blob. */
  readonly from: string;
  readonly digest: Digest;
}

/** Answers that mean: it cannot be mounted, send it. 404 is that of a source that is not there. */
const REFUSED_STATUS: ReadonlySet<number> = new Set([202, 404, 405]);

/**
 * A registry that does not mount opens an upload instead (202). It is left alone: to drop it would be one
 * more request that ECR is not known to take, and what nobody writes to expires.
 * @throws ReadFault of kind `denied` where the login is refused, `transient` where another attempt may
 * help; the signal's reason
 */
export async function mountBlob(
  transport: Transport,
  { endpoint, authorization, repository, from, digest }: BlobMount,
  stallTimeoutMs: number,
  signal: AbortSignal,
): Promise<'mounted' | 'refused'> {
  const path = repository.split('/').map(encodeURIComponent).join('/');
  const url = new URL(`/v2/${path}/blobs/uploads/`, endpoint);
  url.searchParams.set('mount', digest);
  url.searchParams.set('from', from);
  const headers = { authorization, 'user-agent': 'longshore', 'content-length': '0' };
  const reply = await transport.send({ method: 'POST', url, headers }, signal);
  const { status } = reply;
  if (status === 201) {
    reply.discard();
    const stored = reply.header('docker-content-digest') ?? digestIn(reply.header('location'));
    if (stored === undefined || stored === digest) return 'mounted';
    throw new ReadFault(
      'final',
      `${url.host} mounted ${stored.slice(0, 100)} where ${digest} was asked for`,
      'check any proxy on the way',
      { httpStatus: status },
    );
  }
  if (REFUSED_STATUS.has(status)) {
    reply.discard();
    return 'refused';
  }
  throw await refusalOf(reply, true, stallTimeoutMs, signal);
}

/** `/v2/team/app/blobs/sha256:...` */
function digestIn(location: string | undefined): Digest | undefined {
  const last = location?.slice(location.lastIndexOf('/') + 1);
  return isDigest(last) ? last : undefined;
}
