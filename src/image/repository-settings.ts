import type { CreateRepositoryCommandInput } from '@aws-sdk/client-ecr';

/** Settings of a repository that is created on the way. */
export type RepositorySettings = Omit<
  CreateRepositoryCommandInput,
  'repositoryName' | 'registryId'
>;
