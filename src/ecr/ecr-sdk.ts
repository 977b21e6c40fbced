/**
 * What of the AWS SDK runs here. Loaded with `import()` by the first call that needs it, since loading it
 * takes longer than all the rest of longshore; named one by one, so that a bundler leaves the rest out.
 */

export {
  BatchCheckLayerAvailabilityCommand,
  BatchGetImageCommand,
  CompleteLayerUploadCommand,
  CreateRepositoryCommand,
  DescribeRepositoriesCommand,
  ECRClient,
  GetAccountSettingCommand,
  GetAuthorizationTokenCommand,
  GetDownloadUrlForLayerCommand,
  InitiateLayerUploadCommand,
  ListImageReferrersCommand,
  PutImageCommand,
  UploadLayerPartCommand,
} from '@aws-sdk/client-ecr';
export { NodeHttpHandler } from '@smithy/node-http-handler';
