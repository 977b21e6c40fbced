/** Where programs of a user keep what is theirs: by the XDG rules, which have relative paths ignored. */

import { isAbsolute, join } from 'node:path';
import type { CliContext } from './context.ts';

/** One kind of folder, as each system has it. */
interface BaseDirectory {
  readonly variable: string;
  /** Below the home. */
  readonly home: readonly string[];
  /** Below `longshore` in Windows' folder of local data. */
  readonly windows: string;
}

const STATE: BaseDirectory = {
  variable: 'XDG_STATE_HOME',
  home: ['.local', 'state'],
  windows: 'state',
};
const CACHE: BaseDirectory = { variable: 'XDG_CACHE_HOME', home: ['.cache'], windows: 'cache' };

type World = Pick<CliContext, 'env' | 'platform'>;

/** For what goes on after a crash. `undefined` where there is no home. */
export function stateDirectory(world: World): string | undefined {
  return directoryOf(world, STATE);
}

/** For what can be found out anew. `undefined` where there is no home. */
export function cacheDirectory(world: World): string | undefined {
  return directoryOf(world, CACHE);
}

function directoryOf(
  { env, platform }: World,
  { variable, home, windows }: BaseDirectory,
): string | undefined {
  const chosen = absolute(env[variable]);
  if (chosen !== undefined) return join(chosen, 'longshore');
  if (platform === 'win32') {
    const local = absolute(env['LOCALAPPDATA']);
    return local === undefined ? undefined : join(local, 'longshore', windows);
  }
  const own = absolute(env['HOME']);
  return own === undefined ? undefined : join(own, ...home, 'longshore');
}

function absolute(path: string | undefined): string | undefined {
  return path !== undefined && isAbsolute(path) ? path : undefined;
}
