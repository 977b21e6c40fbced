/** Where the command line keeps what an interrupted upload goes on from. */

import type { UploaderOptions } from '../index.ts';
import { stateDirectory } from './base-directory.ts';
import type { CliContext } from './context.ts';

/** As commander delivers them. */
export interface ResumeFlags {
  /** False after `--no-resume`. */
  readonly resume: boolean;
  readonly resumeDirectory?: string;
}

/** On unless refused. Without a home there is no place for it by default. */
export function resumeOptionOf(
  world: Pick<CliContext, 'env' | 'platform'>,
  flags: ResumeFlags,
): Pick<UploaderOptions, 'resumeDirectory'> {
  if (!flags.resume) return {};
  const chosen = flags.resumeDirectory ?? stateDirectory(world);
  return chosen === undefined ? {} : { resumeDirectory: chosen };
}
