/** Create-on-push, for whoever asked for it. */

import type { EcrService } from '../ecr-service.ts';
import type { Route } from './route.ts';

/** Creates the repository that a push is about to miss, if that is what the options want. */
export async function ensureRepository(
  { now, options, registry }: EcrService,
  { endpoint, method }: Route,
): Promise<void> {
  if (options.missingRepository !== 'create') return;
  const isPush =
    endpoint.kind === 'upload-start' || (endpoint.kind === 'manifest' && method === 'PUT');
  if (!isPush || registry.repositories.has(endpoint.repositoryName)) return;
  await registry.lock.run(`create:${endpoint.repositoryName}`, async () => {
    // Whoever pushes the second layer at the same time finds it there.
    if (registry.repositories.has(endpoint.repositoryName)) return;
    await registry.createRepository({
      repositoryName: endpoint.repositoryName,
      createdAtMs: now(),
      imageTagMutability: 'MUTABLE',
      scanOnPush: false,
      encryptionConfiguration: { encryptionType: 'AES256' },
    });
  });
}
