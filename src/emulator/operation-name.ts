/** The operations of the ECR JSON API that the emulator serves. */
export const OPERATION_NAMES = [
  'GetAuthorizationToken',
  'CreateRepository',
  'DescribeRepositories',
  'DeleteRepository',
  'BatchCheckLayerAvailability',
  'InitiateLayerUpload',
  'UploadLayerPart',
  'CompleteLayerUpload',
  'PutImage',
  'BatchGetImage',
  'DescribeImages',
  'ListImages',
  'ListImageReferrers',
  'BatchDeleteImage',
  'GetDownloadUrlForLayer',
  'PutAccountSetting',
  'GetAccountSetting',
] as const;

/** Name of an operation, as in the `x-amz-target` header after the dot. */
export type OperationName = (typeof OPERATION_NAMES)[number];

/** What stands before the operation in `x-amz-target` (model, H). */
const TARGET_PREFIX = 'AmazonEC2ContainerRegistry_V20150921';

const KNOWN: ReadonlySet<string> = new Set(OPERATION_NAMES);

/** The operation a target header names, or undefined for a target that ECR does not have. */
export function operationOf(target: string | undefined): OperationName | undefined {
  if (target === undefined || !target.startsWith(`${TARGET_PREFIX}.`)) return undefined;
  const name = target.slice(TARGET_PREFIX.length + 1);
  return KNOWN.has(name) ? (name as OperationName) : undefined;
}
