/** The emulator's own bounds: every buffer, queue and wait of it ends at one of these. */

import { GIB, KIB, MIB } from '../limits.ts';

/** Largest request head. */
export const HEAD_SIZE_MAX_BYTES: number = 32 * KIB;
/** Largest body of any operation but `UploadLayerPart`: a 4 Mi character manifest, JSON-escaped. */
export const BODY_SIZE_MAX_BYTES: number = 8 * MIB;
/** Largest body of `UploadLayerPart`: 20 MiB in base64 (27.97 MB) and room for `\/` escapes. */
export const PART_BODY_SIZE_MAX_BYTES: number = 30 * MIB;
/** All members of an `UploadLayerPart` body but the blob. */
export const PART_MEMBERS_MAX_BYTES: number = 64 * KIB;
/** Decoded bytes of parts not committed yet, over all connections; beyond it parts are refused. */
export const STAGED_BYTES_MAX: number = 2 * GIB;
/** Piece in which decoded bytes are held. */
export const SLAB_SIZE_BYTES: number = MIB;
/** Bytes the memory store holds before it refuses parts and asks for a data directory. */
export const MEMORY_STORE_MAX_BYTES: number = 8 * GIB;
/** Simultaneous connections; more are refused by the operating system's queue. */
export const CONNECTIONS_MAX = 1024;
/** Uploads that are neither completed nor expired. */
export const OPEN_UPLOADS_MAX = 10_000;
/** ECR's quotas: repositories of a registry, images of a repository, tags of an image (quotas page, H). */
export const REPOSITORIES_MAX = 100_000;
export const IMAGES_PER_REPOSITORY_MAX = 100_000;
export const TAGS_PER_IMAGE_MAX = 1000;
/** All manifests together, which stay in memory whatever the store. */
export const MANIFESTS_MAX_BYTES: number = GIB;
/** Fault rules in force at once. */
export const FAULT_RULES_MAX = 1000;
/** Requests the journal remembers. */
export const JOURNAL_ENTRIES_MAX = 20_000;
/** Piece in which a layer is read from disk for a download. */
export const DOWNLOAD_CHUNK_SIZE_BYTES: number = 256 * KIB;
/** Validity of a download URL (`X-Amz-Expires=3600` in the AWS CLI sample, M). */
export const DOWNLOAD_URL_EXPIRY_MS: number = 3600 * 1000;
/** Validity of an authorization token (user guide, H). */
export const AUTHORIZATION_TOKEN_EXPIRY_MS: number = 12 * 3600 * 1000;
/** Age of an open upload at which it is forgotten. ECR's value is documented nowhere. */
export const UPLOAD_EXPIRY_MS: number = 12 * 3600 * 1000;
/** Clock difference a signature may show (text of AWS's own error: "- 5 min.", H). */
export const CLOCK_SKEW_MAX_MS: number = 5 * 60 * 1000;
/** A connection that has not sent its whole request head by then is closed. */
export const HEAD_TIMEOUT_MS: number = 60 * 1000;
/** A connection on which a client sends nothing for so long, while it is its turn, is closed. */
export const IDLE_TIMEOUT_MS: number = 120 * 1000;
/**
 * A request that is not whole by then is answered 408; its upload has expired by then too. Parts may be held back, and
 * layers come slowly, so that it is the idle time-out that ends most.
 */
export const REQUEST_TIMEOUT_MS: number = 12 * 3600 * 1000;
/** Entries of one page when the request names no `maxResults` (API reference, H). */
export const PAGE_SIZE_DEFAULT = 100;
/** Most and default referrers of one page (model, H; the default is a guess). */
export const REFERRERS_PAGE_SIZE_MAX = 50;
/** Body that is still read before a request without sound credentials is refused. */
export const UNTRUSTED_BODY_MAX_BYTES: number = MIB;
/** Longest request line of `/v2/` that the journal keeps. */
export const JOURNAL_REQUEST_MAX_CHARACTERS = 512;
