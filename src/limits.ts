/**
 * ECR's limits and longshore's own bounds, each with its unit in its name.
 * ECR's numbers come from the service model ("model"), from the service-quotas page of the ECR user
 * guide ("quotas"), or from measurement by others; the confidence is given as in ARCHITECTURE.md:
 * H stated by AWS, M consistent indirect evidence, L a single weak source.
 */

export const KIB: number = 1024;
export const MIB: number = 1024 * KIB;
export const GIB: number = 1024 * MIB;

/** Smallest part except the last; checked by ECR at Complete (quotas, H). */
export const PART_SIZE_MIN_BYTES: number = 5 * MIB;
/** Part size ECR's `InitiateLayerUpload` reports in practice (AWS CLI samples, M-H). */
export const PART_SIZE_REPORTED_BYTES: number = 10 * MIB;
/** Largest `layerPartBlob` (model, H; the quotas page says 10 MiB, see ARCHITECTURE.md). */
export const PART_SIZE_MAX_BYTES: number = 20 * MIB;
/** Parts of one upload (quotas, H). */
export const PARTS_PER_LAYER_MAX = 4200;
/** Largest layer (quotas, H). */
export const LAYER_SIZE_MAX_BYTES: number = 52_000 * MIB;
/** Digests of one `BatchCheckLayerAvailability` call (model, H). */
export const DIGESTS_PER_CHECK_MAX = 100;
/** References of one `BatchGetImage` call (model, H). */
export const IMAGES_PER_CALL_MAX = 100;
/** Layers of one image (undocumented, measured twice by others, M-H). */
export const LAYERS_PER_IMAGE_MAX = 500;
/** Longest image manifest in characters (model, H). */
export const MANIFEST_SIZE_MAX_BYTES: number = 4_194_304;
