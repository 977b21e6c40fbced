import type { Descriptor } from '../image/descriptor.ts';
import type { LayerSource } from '../layer/layer-source.ts';

/** What `manifestImage` is made of. */
export interface ImagePieces {
  /** The manifest: the path of a file, or its bytes, which go to ECR as they are. */
  readonly manifest: string | Uint8Array;
  /** Its media type, for a manifest that does not say it. Default: OCI's, by its content. */
  readonly mediaType?: string;
  /**
   * Where configs and layers are: paths by digest, or a function that is asked once for each digest,
   * synchronously, before anything is sent. Of a source, the digest is checked as it is read.
   */
  readonly blobs:
    | Readonly<Record<string, string>>
    | ((descriptor: Descriptor) => LayerSource | string | undefined);
  /**
   * The manifests of an index, and of what refers to the image: paths or bytes by digest. Those that
   * are not here are looked for among the blobs.
   */
  readonly manifests?: Readonly<Record<string, string | Uint8Array>>;
  /** For messages and progress. Default: the manifest's path, or `manifest`. */
  readonly label?: string;
}
