/** The files of one `longshore layer` call, as uploads to be made. */

import { statSync } from 'node:fs';
import { fileSource, type LayerSource, streamSource } from '../index.ts';
import type { CliContext } from './context.ts';
import type { LayerFlags } from './layer-flags.ts';
import type { ExpectedLayer } from './progress/layer-ledger.ts';
import { UsageError } from './usage-error.ts';

/** What stands for standard input among the files. */
const STANDARD_INPUT = '-';

export interface LayerJob extends ExpectedLayer {
  /** As written on the command line. */
  readonly file: string;
  readonly source: LayerSource;
  readonly isStream: boolean;
}

export function planLayerJobs(
  context: Pick<CliContext, 'stdin' | 'stdinIsTerminal'>,
  files: readonly string[],
  flags: Pick<LayerFlags, 'digest'>,
): LayerJob[] {
  if (flags.digest !== undefined && files.length !== 1) {
    throw new UsageError(`--digest tells the digest of one file, but ${files.length} are given`);
  }
  if (files.filter((file) => file === STANDARD_INPUT).length > 1) {
    throw new UsageError('standard input (-) can be read only once');
  }
  const digest = flags.digest === undefined ? {} : { digest: flags.digest };
  return files.map((file) => {
    if (file !== STANDARD_INPUT) {
      const source = fileSource(file, digest);
      return { file, source, label: source.label, sizeBytes: sizeOf(file), isStream: false };
    }
    if (context.stdinIsTerminal) {
      throw new UsageError('standard input (-) is a terminal; pipe the layer into it');
    }
    const source = streamSource(context.stdin, { label: 'standard input', ...digest });
    return { file, source, label: source.label, sizeBytes: undefined, isStream: true };
  });
}

/** For the progress total only: what is wrong with a file is told by the upload. */
function sizeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.size;
}
