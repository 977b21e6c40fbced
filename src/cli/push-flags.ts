/** The flags of `longshore push`. */

import type { ImageFlags } from './image-flags.ts';
import type { RepositoryFlags } from './repository-settings.ts';
import type { ResumeFlags } from './resume-directory.ts';
import type { OutputFlags, UploaderFlags } from './uploader-flags.ts';

/** As commander delivers them. */
export interface PushFlags
  extends UploaderFlags, ResumeFlags, ImageFlags, RepositoryFlags, OutputFlags {
  readonly tag?: readonly string[];
  readonly referrers?: boolean;
  readonly dryRun?: boolean;
}
