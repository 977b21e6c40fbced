/** What the service model (API version 2015-09-21, H) demands of each operation's input. */

import { DIGESTS_PER_CHECK_MAX, MANIFEST_SIZE_MAX_BYTES } from '../limits.ts';
import { REFERRERS_PAGE_SIZE_MAX } from './emulator-limits.ts';
import type { Constraint, StringConstraint, StructureConstraint } from './constraint.ts';
import type { OperationName } from './operation-name.ts';

const registryId: StringConstraint = { kind: 'string', pattern: '[0-9]{12}' };
const repositoryName: StringConstraint = {
  kind: 'string',
  lengthMin: 2,
  lengthMax: 256,
  pattern: '[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*(\\/[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*)*',
};
const uploadId: StringConstraint = {
  kind: 'string',
  pattern: '[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}',
};
const layerDigest: StringConstraint = { kind: 'string', pattern: '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+' };
const text: StringConstraint = { kind: 'string' };
const flag: Constraint = { kind: 'boolean' };
const position: Constraint = { kind: 'integer', min: 0 };
const pageSize: Constraint = { kind: 'integer', min: 1, max: 1000 };

const imageId: Constraint = structure(
  {},
  { imageDigest: text, imageTag: { kind: 'string', lengthMin: 1, lengthMax: 300 } },
);
const imageIds: Constraint = { kind: 'list', of: imageId, countMin: 1, countMax: 100 };
const imageFilter: Constraint = structure(
  {},
  {
    tagStatus: { kind: 'string', values: ['TAGGED', 'UNTAGGED', 'ANY'] },
    imageStatus: { kind: 'string', values: ['ACTIVE', 'ARCHIVED', 'ACTIVATING', 'ANY'] },
  },
);
const artifactTypes: Constraint = {
  kind: 'list',
  of: { kind: 'string', lengthMin: 1, lengthMax: 255 },
  countMax: 5,
};
const artifactStatus: Constraint = {
  kind: 'string',
  values: ['ACTIVE', 'ARCHIVED', 'ACTIVATING', 'ANY'],
};
const exclusionFilter: Constraint = structure({
  filterType: { kind: 'string', values: ['WILDCARD'] },
  filter: { kind: 'string', lengthMin: 1, lengthMax: 128, pattern: '[0-9a-zA-Z._*-]{1,128}' },
});

export const REQUEST_CONSTRAINTS: Readonly<Record<OperationName, StructureConstraint>> = {
  GetAuthorizationToken: structure(
    {},
    { registryIds: { kind: 'list', of: registryId, countMin: 1, countMax: 10 } },
  ),
  CreateRepository: structure(
    { repositoryName },
    {
      registryId,
      tags: { kind: 'list', of: structure({ Key: text, Value: text }) },
      imageTagMutability: {
        kind: 'string',
        values: ['MUTABLE', 'IMMUTABLE', 'IMMUTABLE_WITH_EXCLUSION', 'MUTABLE_WITH_EXCLUSION'],
      },
      imageTagMutabilityExclusionFilters: {
        kind: 'list',
        of: exclusionFilter,
        countMin: 1,
        countMax: 5,
      },
      imageScanningConfiguration: structure({}, { scanOnPush: flag }),
      encryptionConfiguration: structure(
        { encryptionType: { kind: 'string', values: ['AES256', 'KMS', 'KMS_DSSE'] } },
        { kmsKey: { kind: 'string', lengthMin: 1, lengthMax: 2048 } },
      ),
    },
  ),
  DescribeRepositories: structure(
    {},
    {
      registryId,
      repositoryNames: { kind: 'list', of: repositoryName, countMin: 1, countMax: 100 },
      nextToken: text,
      maxResults: pageSize,
    },
  ),
  DeleteRepository: structure({ repositoryName }, { registryId, force: flag }),
  BatchCheckLayerAvailability: structure(
    {
      repositoryName,
      layerDigests: {
        kind: 'list',
        of: { kind: 'string', lengthMax: 1000 },
        countMin: 1,
        countMax: DIGESTS_PER_CHECK_MAX,
      },
    },
    { registryId },
  ),
  InitiateLayerUpload: structure({ repositoryName }, { registryId }),
  // `layerPartBlob` never reaches this table: the scanner measures it while it streams by.
  UploadLayerPart: structure(
    { repositoryName, uploadId, partFirstByte: position, partLastByte: position },
    { registryId },
  ),
  CompleteLayerUpload: structure(
    {
      repositoryName,
      uploadId,
      layerDigests: { kind: 'list', of: layerDigest, countMin: 1, countMax: 100 },
    },
    { registryId },
  ),
  PutImage: structure(
    {
      repositoryName,
      imageManifest: { kind: 'string', lengthMin: 1, lengthMax: MANIFEST_SIZE_MAX_BYTES },
    },
    {
      registryId,
      imageManifestMediaType: text,
      imageTag: { kind: 'string', lengthMin: 1, lengthMax: 300 },
      imageDigest: text,
    },
  ),
  BatchGetImage: structure(
    { repositoryName, imageIds },
    { registryId, acceptedMediaTypes: { kind: 'list', of: text, countMin: 1, countMax: 100 } },
  ),
  DescribeImages: structure(
    { repositoryName },
    { registryId, imageIds, nextToken: text, maxResults: pageSize, filter: imageFilter },
  ),
  ListImages: structure(
    { repositoryName },
    { registryId, nextToken: text, maxResults: pageSize, filter: imageFilter },
  ),
  ListImageReferrers: structure(
    { repositoryName, subjectId: structure({ imageDigest: text }) },
    {
      registryId,
      filter: structure({}, { artifactTypes, artifactStatus }),
      nextToken: text,
      maxResults: { kind: 'integer', min: 1, max: REFERRERS_PAGE_SIZE_MAX },
    },
  ),
  BatchDeleteImage: structure({ repositoryName, imageIds }, { registryId }),
  GetDownloadUrlForLayer: structure({ repositoryName, layerDigest }, { registryId }),
  PutAccountSetting: structure({
    name: { kind: 'string', lengthMin: 1, lengthMax: 64 },
    value: text,
  }),
  GetAccountSetting: structure({ name: { kind: 'string', lengthMin: 1, lengthMax: 64 } }),
};

function structure(
  required: Readonly<Record<string, Constraint>>,
  optional: Readonly<Record<string, Constraint>> = {},
): StructureConstraint {
  return { kind: 'structure', required, optional };
}
