/** A reference to content: the arrows of an image's graph. */

import type { Digest } from '../digest.ts';

/** For which machine an image is. */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
  /** Windows' build number. */
  readonly osVersion?: string;
}

/** What OCI calls a descriptor, as far as a push needs it. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly sizeBytes: number;
  readonly platform?: Platform;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  /** Where else the content is; of foreign layers. */
  readonly urls?: readonly string[];
}
