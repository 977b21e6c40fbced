/** Declares `longshore push` and its options. */

import { type Command, Option } from 'commander';
import type { CliContext } from './context.ts';
import { declareImageOptions } from './image-arguments.ts';
import { each, parseKeyValue, parseTag } from './option-values.ts';
import type { PushFlags } from './push-flags.ts';
import { PUSH_DESCRIPTION, PUSH_EPILOGUE } from './push-help.ts';
import {
  declareHashingOptions,
  declareOutputOptions,
  declareRegistryOptions,
  declareTransferOptions,
} from './uploader-arguments.ts';

export function declarePush(
  program: Command,
  context: CliContext,
  finish: (exitCode: number) => void,
): void {
  const command = program
    .command('push')
    .summary('push an image')
    .usage('[options] <SOURCE> <REPOSITORY[:TAG]>')
    .description(PUSH_DESCRIPTION)
    // Optional for commander only: with --manifest the first word is REPOSITORY.
    .argument('[SOURCE]', 'layout, archive, - or registry reference')
    .argument('[REPOSITORY]', 'with or without registry host and :TAG')
    .option('--tag <tag>', 'one more tag; repeatable', each(parseTag))
    .option('--dry-run', 'print what a push would do, and do nothing')
    .option('--referrers', 'also push signatures, SBOMs and the like');

  declareImageOptions(command);
  declareRegistryOptions(command);
  declareRepositoryOptions(command);
  declareTransferOptions(command);
  declareHashingOptions(command);
  declareOutputOptions(command, 'one JSON object: receipt, plan or error');

  command.showHelpAfterError('  see: longshore push --help');
  command.addHelpText('after', PUSH_EPILOGUE);
  command.action(
    async (first: string | undefined, second: string | undefined, flags: PushFlags) => {
      // It stands on the whole library, which help should not load.
      const { runPushCommand } = await import('./push-command.ts');
      finish(await runPushCommand(context, [first, second], flags));
    },
  );
}

function declareRepositoryOptions(command: Command): void {
  command.optionsGroup('New repository:');
  command
    .option('--create-repository', 'create the repository if it is missing')
    .option('--immutable-tags', 'tags cannot be moved')
    .option('--scan-on-push', 'have each image scanned')
    .addOption(
      new Option('--encryption <kind>', "of what is stored (default: ECR's)").choices([
        'aes256',
        'kms',
        'kms-dsse',
      ]),
    )
    .option('--kms-key <key>', 'key of --encryption kms (implied) or kms-dsse')
    .option('--repository-tag <key=value>', 'AWS tag of it; repeatable', each(parseKeyValue));
}
