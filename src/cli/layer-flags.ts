/** The flags of `longshore layer`. */

import type { Digest } from '../index.ts';
import type { ResumeFlags } from './resume-directory.ts';
import type { OutputFlags, UploaderFlags } from './uploader-flags.ts';

/** As commander delivers them. */
export interface LayerFlags extends UploaderFlags, ResumeFlags, OutputFlags {
  readonly repository: string;
  readonly digest?: Digest;
  /** False after `--no-check`. */
  readonly check: boolean;
}
