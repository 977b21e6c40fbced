export { createUploader } from './uploader/uploader.ts';
export type { LayerRequest, Uploader, UploadCall } from './uploader/uploader.ts';
export type { CallsPerSecond } from './ecr/call-quota.ts';
export { ecrCredentials } from './ecr/ecr-credentials.ts';
export type { RepositorySettings, UploaderOptions } from './uploader/uploader-options.ts';
export { archiveImage } from './source/archive-image.ts';
export type { ArchiveImageOptions } from './source/archive-image.ts';
export { bytesSource } from './source/bytes-source.ts';
export { fileSource } from './source/file-source.ts';
export { localImage } from './source/local-image.ts';
export type { LocalImageOptions } from './source/local-image.ts';
export { manifestImage } from './source/manifest-image.ts';
export type { ImagePieces } from './source/image-pieces.ts';
export { ociLayoutImage } from './source/oci-layout-image.ts';
export type { OciLayoutImageOptions } from './source/oci-layout-image.ts';
export type { ImageSelection } from './source/image-selection.ts';
export { randomAccessSource } from './source/random-access-source.ts';
export type { RandomAccess } from './source/random-access-source.ts';
export { registryImage } from './source/registry-image.ts';
export type { RegistryCredentials, RegistryImageOptions } from './source/registry-image.ts';
export { streamSource } from './source/stream-source.ts';
export type {
  LayerEvent,
  LayerName,
  LayerReceipt,
  LayerSnapshot,
  LayerState,
  UploaderSnapshot,
} from './layer/layer-events.ts';
export type { JournalProblem } from './layer/layer-journal.ts';
export type { StallAction, WaitingFor } from './layer/stall-watch.ts';
export type { LayerSource, OpenSource, SourceFile } from './layer/layer-source.ts';
export type { Descriptor, Platform } from './image/descriptor.ts';
export type {
  ImageBlobReceipt,
  ImageEvent,
  ImageManifestReceipt,
  ImageName,
  ImageReceipt,
  ImageVerification,
  VerificationEvent,
} from './image/image-events.ts';
export type { Manifest } from './image/manifest.ts';
export type { ImagePlan, PlannedBlob, PlannedManifest, PlannedTag } from './image/image-plan.ts';
export type {
  ImageCall,
  ImageRequest,
  VerificationCall,
  VerificationRequest,
} from './image/image-request.ts';
export type {
  CompressedLayer,
  Compression,
  ImageSource,
  ImageSourceContext,
  OpenImage,
} from './image/image-source.ts';
export { LongshoreError } from './errors.ts';
export type { ErrorCode, ErrorDetails, ErrorOrigin } from './errors.ts';
export type { Digest } from './digest.ts';
