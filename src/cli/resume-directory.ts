/** Where the command line keeps what an interrupted upload goes on from. */

import { isAbsolute, join } from 'node:path';
import type { UploaderOptions } from '../index.ts';
import type { CliContext } from './context.ts';

/** As commander delivers them. */
export interface ResumeFlags {
  /** False after `--no-resume`. */
  readonly resume: boolean;
  readonly resumeDirectory?: string;
}

/**
 * On unless refused; by the XDG rules, which have relative paths ignored. Without a home there is no
 * place for it by default.
 */
export function resumeOptionOf(
  { env, platform }: Pick<CliContext, 'env' | 'platform'>,
  flags: ResumeFlags,
): Pick<UploaderOptions, 'resumeDirectory'> {
  if (!flags.resume) return {};
  const chosen = flags.resumeDirectory ?? defaultDirectory(env, platform);
  return chosen === undefined ? {} : { resumeDirectory: chosen };
}

function defaultDirectory(env: CliContext['env'], platform: NodeJS.Platform): string | undefined {
  const state = absolute(env['XDG_STATE_HOME']);
  if (state !== undefined) return join(state, 'longshore');
  if (platform === 'win32') {
    const local = absolute(env['LOCALAPPDATA']);
    return local === undefined ? undefined : join(local, 'longshore', 'state');
  }
  const home = absolute(env['HOME']);
  return home === undefined ? undefined : join(home, '.local', 'state', 'longshore');
}

function absolute(path: string | undefined): string | undefined {
  return path !== undefined && isAbsolute(path) ? path : undefined;
}
