/** Every operation and its handler. */

import type { OperationHandler } from '../operation.ts';
import type { OperationName } from '../operation-name.ts';
import { getAccountSetting, getAuthorizationToken, putAccountSetting } from './account.ts';
import { batchGetImage, describeImages, listImages } from './image-queries.ts';
import { listImageReferrers } from './image-referrers.ts';
import { batchDeleteImage, putImage } from './images.ts';
import {
  batchCheckLayerAvailability,
  completeLayerUpload,
  getDownloadUrlForLayer,
  initiateLayerUpload,
  uploadLayerPart,
} from './layers.ts';
import { createRepository, deleteRepository, describeRepositories } from './repositories.ts';

export const OPERATIONS: Readonly<Record<OperationName, OperationHandler>> = {
  GetAuthorizationToken: getAuthorizationToken,
  CreateRepository: createRepository,
  DescribeRepositories: describeRepositories,
  DeleteRepository: deleteRepository,
  BatchCheckLayerAvailability: batchCheckLayerAvailability,
  InitiateLayerUpload: initiateLayerUpload,
  UploadLayerPart: uploadLayerPart,
  CompleteLayerUpload: completeLayerUpload,
  PutImage: putImage,
  BatchGetImage: batchGetImage,
  DescribeImages: describeImages,
  ListImages: listImages,
  ListImageReferrers: listImageReferrers,
  BatchDeleteImage: batchDeleteImage,
  GetDownloadUrlForLayer: getDownloadUrlForLayer,
  PutAccountSetting: putAccountSetting,
  GetAccountSetting: getAccountSetting,
};
