/** Declares `longshore sync` and its options. */

import { type Command, Option } from 'commander';
import type { CliContext } from './context.ts';
import { parseListenAddress } from './listen-address.ts';
import { integerBetween, parseInterval } from './option-values.ts';
import type { SyncFlags } from './sync-flags.ts';
import { SYNC_DESCRIPTION, SYNC_EPILOGUE } from './sync-help.ts';
import {
  declareCertificates,
  declareHashingOptions,
  declareOutputOptions,
  declareTransferOptions,
} from './uploader-arguments.ts';

/** What a sync does by default, for all targets together. */
const LAYERS_IN_FLIGHT = 64;

export function declareSync(
  program: Command,
  context: CliContext,
  finish: (exitCode: number) => void,
): void {
  const command = program
    .command('sync')
    .summary('fill registries from others')
    .description(SYNC_DESCRIPTION)
    .argument('<FILE>', 'configuration')
    .option('--dry-run', 'print what a run would do, and do nothing')
    .option('--all', 'with --dry-run: also list tags that a filter keeps away')
    .option('--report <file>', 'write what became of each tag, as JSON')
    .option('--only-failed <report>', 'only tags that failed or were not started then')
    .addOption(
      new Option('--import <tool>', "print that tool's FILE as one of ours").choices([
        'skopeo',
        'regsync',
      ]),
    );

  command.optionsGroup('Again and again:');
  command
    .option('--watch <time>', 'run every 90s, 15m or 6h, until Ctrl-C', parseInterval)
    .option(
      '--listen <host:port>',
      'offer health and metrics (host: 127.0.0.1, port 0: any)',
      parseListenAddress,
    );

  declareTransferOptions(command, LAYERS_IN_FLIGHT);
  command.option(
    '--images-in-flight <n>',
    'images at once, 1 to 256 (default: 32)',
    integerBetween(1, 256),
  );
  declareCache(command);
  declareCertificates(command);
  declareHashingOptions(command);
  declareOutputOptions(command, 'one JSON object a run: report, plan or error');

  command.showHelpAfterError('  see: longshore sync --help');
  command.addHelpText('after', SYNC_EPILOGUE);
  command.action(async (file: string, flags: SyncFlags) => {
    // It stands on the whole library, which help should not load.
    const { runSyncCommand } = await import('./sync-command.ts');
    finish(await runSyncCommand(context, file, flags));
  });
}

function declareCache(command: Command): void {
  command
    .option('--no-cache', 'keep nothing that spares a later run look-ups')
    .option('--cache-directory <folder>', 'where that is kept (default: XDG_CACHE_HOME/longshore)');
}
