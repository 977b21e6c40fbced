/** How often ECR lets an account call in a region, and how much of that one uploader asks for. */

/** Requests per second, account and region (quotas page, H; adjustable). */
const QUOTA_PER_SECOND = {
  BatchCheckLayerAvailability: 1000,
  InitiateLayerUpload: 100,
  UploadLayerPart: 500,
  CompleteLayerUpload: 100,
  PutImage: 10,
  BatchGetImage: 2000,
  GetDownloadUrlForLayer: 3000,
} as const;

/** Operations whose rate ECR publishes; the others are called as they come. */
export type RatedOperation = keyof typeof QUOTA_PER_SECOND;

/** Calls per second by operation; `Infinity` holds nothing back. */
export type CallsPerSecond = Readonly<Record<RatedOperation, number>>;

/** What is left is for everybody else on the account, and for replies that bunch on the way. */
const SHARE_KEPT = 0.8;

export const CALLS_PER_SECOND_BY_DEFAULT: CallsPerSecond = Object.fromEntries(
  Object.entries(QUOTA_PER_SECOND).map(([name, quota]) => [name, quota * SHARE_KEPT]),
) as CallsPerSecond;

export const RATED_OPERATIONS: readonly RatedOperation[] = Object.keys(
  QUOTA_PER_SECOND,
) as RatedOperation[];
