/** For which platform an image's config says that it is. */

import type { Platform } from '../image/descriptor.ts';
import { JsonProblem, readJsonObject } from '../image/json-document.ts';
import { DOCKER_CONFIG, OCI_CONFIG } from '../image/media-type.ts';

/** Artifacts have configs of other kinds, which say nothing about platforms. */
export function isImageConfig(mediaType: string): boolean {
  return mediaType === OCI_CONFIG || mediaType === DOCKER_CONFIG;
}

/** `undefined` where it says nothing, or is not JSON: it is not for us to judge a config. */
export function platformOfConfig(config: Uint8Array): Platform | undefined {
  try {
    const { os, architecture, variant, 'os.version': osVersion } = readJsonObject(config);
    if (!isText(os) || !isText(architecture)) return undefined;
    return {
      os,
      architecture,
      ...(isText(variant) && { variant }),
      ...(isText(osVersion) && { osVersion }),
    };
  } catch (error) {
    if (error instanceof JsonProblem) return undefined;
    throw error;
  }
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
