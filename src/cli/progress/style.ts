/** Colours and glyphs that the terminal at hand can show. */

import pico from 'picocolors';
import type { CliContext, TextOutput } from '../context.ts';

export type Colors = ReturnType<typeof pico.createColors>;

export interface Style {
  readonly colors: Colors;
  /** What fills a bar: acknowledged, on the wire, still to do. */
  readonly glyphs: { readonly done: string; readonly wired: string; readonly left: string };
}

const BLOCKS = { done: '█', wired: '▓', left: '░' } as const;
const ASCII = { done: '#', wired: '+', left: '.' } as const;

/** https://no-color.org and https://force-color.org. */
export function chooseStyle(
  context: Pick<CliContext, 'env' | 'platform'>,
  output: Pick<TextOutput, 'isTerminal'>,
): Style {
  return {
    colors: pico.createColors(wantsColor(context.env, output.isTerminal)),
    glyphs: showsBlocks(context) ? BLOCKS : ASCII,
  };
}

function wantsColor(env: CliContext['env'], isTerminal: boolean): boolean {
  const forced = env['FORCE_COLOR'];
  if ((env['NO_COLOR'] ?? '') !== '') return false;
  if (forced !== undefined && forced !== '') return forced !== '0' && forced !== 'false';
  return isTerminal && env['TERM'] !== 'dumb';
}

/** The Linux console and the old Windows one have no block elements in their fonts. */
function showsBlocks(context: Pick<CliContext, 'env' | 'platform'>): boolean {
  const { env } = context;
  if (context.platform !== 'win32') return env['TERM'] !== 'linux' && env['TERM'] !== 'dumb';
  return ['WT_SESSION', 'TERM_PROGRAM', 'ConEmuTask'].some((name) => (env[name] ?? '') !== '');
}
