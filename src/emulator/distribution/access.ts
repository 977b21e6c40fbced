/** Who may use the docker door. */

import type { EcrService } from '../ecr-service.ts';
import { RegistryFailure } from './registry-failure.ts';

/** Why a request with this `Authorization` is refused, if it is. */
export function refusalOfAccess(
  { options, tokens }: EcrService,
  authorization: string | undefined,
  { nowMs, origin }: { readonly nowMs: number; readonly origin: string },
): RegistryFailure | undefined {
  if (!options.verifySignatures) return undefined;
  switch (tokens.judge(authorization, nowMs)) {
    case 'granted':
      return undefined;
    // Status and text H: docker-py#1170, aws-cli#7977.
    case 'expired':
      return new RegistryFailure(
        403,
        'DENIED',
        'Your authorization token has expired. Reauthenticate and try again.',
      );
    // What `docker login` reports of a password that was mangled on its way (aws-cli#5317, M).
    case 'malformed':
      return new RegistryFailure(400, 'UNAUTHORIZED', 'Not Authorized');
    case 'missing':
    case 'wrong':
      return new RegistryFailure(401, 'UNAUTHORIZED', 'Not Authorized', {
        // No token endpoint: ECR takes the password itself with every request (H).
        headers: { 'www-authenticate': `Basic realm="${origin}/",service="ecr.amazonaws.com"` },
      });
  }
}
