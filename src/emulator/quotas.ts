/** Requests per second and operation. */

import { EcrException } from './exception.ts';
import type { OperationName } from './operation-name.ts';
import { OPERATION_NAMES } from './operation-name.ts';
import { TokenBucket } from './token-bucket.ts';

export interface OperationQuota {
  /** Requests per second in the long run. */
  readonly perSecond: number;
  /** Requests at once after a rest; by default one second's worth. */
  readonly burst?: number;
}

/** 'off' counts nothing, 'ecr' is the published default of an account and region. */
export type Quotas = 'off' | 'ecr' | Partial<Record<OperationName, OperationQuota>>;

/** Service quotas page, adjustable, H. Operations that are not listed are not limited here. */
const ECR_QUOTAS: Partial<Record<OperationName, OperationQuota>> = {
  GetAuthorizationToken: { perSecond: 500 },
  BatchCheckLayerAvailability: { perSecond: 1000 },
  InitiateLayerUpload: { perSecond: 100 },
  UploadLayerPart: { perSecond: 500 },
  CompleteLayerUpload: { perSecond: 100 },
  PutImage: { perSecond: 10 },
  BatchGetImage: { perSecond: 2000 },
  GetDownloadUrlForLayer: { perSecond: 3000 },
};

export class QuotaGuard {
  readonly #buckets: Map<OperationName, TokenBucket> = new Map();

  constructor(quotas: Quotas, nowMs: number) {
    if (quotas === 'off') return;
    const table = quotas === 'ecr' ? ECR_QUOTAS : quotas;
    for (const operation of OPERATION_NAMES) {
      const quota = table[operation];
      if (quota === undefined) continue;
      const burst = quota.burst ?? Math.max(1, quota.perSecond);
      this.#buckets.set(operation, new TokenBucket(quota.perSecond, burst, nowMs));
    }
  }

  /** `ThrottlingException`, 400, "Rate exceeded" (convox/rack#1164, H) if the bucket is empty. */
  refusal(operation: OperationName, nowMs: number): EcrException | undefined {
    const bucket = this.#buckets.get(operation);
    if (bucket === undefined || bucket.take(nowMs)) return undefined;
    return throttled();
  }
}

/** What ECR answers above a quota; it sends no `Retry-After` (ocync, M). */
export function throttled(): EcrException {
  return new EcrException('ThrottlingException', 'Rate exceeded');
}
