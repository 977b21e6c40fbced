/** Operations on repositories. */

import { invalidParameter } from '../exception.ts';
import { operation, timestamp } from '../operation.ts';
import type { OperationContext, OperationHandler, OperationOutput } from '../operation.ts';
import { pageOf } from '../page.ts';
import type { RepositoryReference } from '../registry-state.ts';
import type { ExclusionFilter, RepositoryState, TagMutability } from '../repository-state.ts';

interface CreateInput extends RepositoryReference {
  readonly imageTagMutability?: TagMutability;
  readonly imageTagMutabilityExclusionFilters?: readonly ExclusionFilter[];
  readonly imageScanningConfiguration?: { readonly scanOnPush?: boolean };
  readonly encryptionConfiguration?: { readonly encryptionType: string; readonly kmsKey?: string };
}

export const createRepository: OperationHandler = operation<CreateInput>(async (input, context) => {
  const { imageTagMutabilityExclusionFilters: filters, imageTagMutability = 'MUTABLE' } = input;
  if (imageTagMutability.endsWith('_WITH_EXCLUSION') !== (filters !== undefined)) {
    throw invalidParameter(
      'imageTagMutabilityExclusionFilters',
      'must be given if and only if imageTagMutability is one with exclusion',
    );
  }
  const repository = await context.registry.createRepository({
    repositoryName: input.repositoryName,
    createdAtMs: context.now(),
    imageTagMutability,
    ...(filters === undefined ? {} : { imageTagMutabilityExclusionFilters: filters }),
    scanOnPush: input.imageScanningConfiguration?.scanOnPush ?? false,
    encryptionConfiguration: input.encryptionConfiguration ?? { encryptionType: 'AES256' },
  });
  return { repository: describe(repository, context) };
});

interface DescribeInput {
  readonly registryId?: string;
  readonly repositoryNames?: readonly string[];
  readonly nextToken?: string;
  readonly maxResults?: number;
}

export const describeRepositories: OperationHandler = operation<DescribeInput>((input, context) => {
  const { registryId, repositoryNames } = input;
  const { registry } = context;
  if (repositoryNames !== undefined) {
    if (input.nextToken !== undefined || input.maxResults !== undefined) {
      throw invalidParameter('repositoryNames', 'must not be combined with pages');
    }
    const named = repositoryNames.map((repositoryName) =>
      registry.repository({
        repositoryName,
        ...(registryId === undefined ? {} : { registryId }),
      }),
    );
    return { repositories: named.map((repository) => describe(repository, context)) };
  }
  const sorted = [...registry.repositories.values()].toSorted((left, right) =>
    left.name < right.name ? -1 : 1,
  );
  const page = pageOf(sorted, ({ name }) => name, input);
  return {
    repositories: page.items.map((repository) => describe(repository, context)),
    nextToken: page.nextToken,
  };
});

export const deleteRepository: OperationHandler = operation<
  RepositoryReference & { readonly force?: boolean }
>(async (input, context) => {
  const repository = await context.registry.deleteRepository(input, input.force ?? false);
  return { repository: describe(repository, context) };
});

function describe(
  { settings, name }: RepositoryState,
  { options, registryHost }: OperationContext,
): OperationOutput {
  return {
    repositoryArn: `arn:aws:ecr:${options.region}:${options.registryId}:repository/${name}`,
    registryId: options.registryId,
    repositoryName: name,
    repositoryUri: `${registryHost}/${name}`,
    createdAt: timestamp(settings.createdAtMs),
    imageTagMutability: settings.imageTagMutability,
    imageTagMutabilityExclusionFilters: settings.imageTagMutabilityExclusionFilters,
    imageScanningConfiguration: { scanOnPush: settings.scanOnPush },
    encryptionConfiguration: settings.encryptionConfiguration,
  };
}
