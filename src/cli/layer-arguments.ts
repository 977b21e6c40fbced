/** Declares `longshore layer` and its options. */

import type { Command } from 'commander';
import type { CliContext } from './context.ts';
import type { LayerFlags } from './layer-flags.ts';
import { LAYER_DESCRIPTION, LAYER_EPILOGUE } from './layer-help.ts';
import { parseDigest } from './option-values.ts';
import {
  declareHashingOptions,
  declareOutputOptions,
  declareRegistryOptions,
  declareTransferOptions,
} from './uploader-arguments.ts';

export function declareLayer(
  program: Command,
  context: CliContext,
  finish: (exitCode: number) => void,
): void {
  const command = program
    .command('layer')
    .summary('upload layer files')
    .description(LAYER_DESCRIPTION)
    .argument('<FILE...>', 'layer files, or - for standard input')
    .requiredOption('-r, --repository <name>', 'repository, without registry host and tag');

  declareRegistryOptions(command);
  command.option('--create-repository', 'create the repository if it is missing');
  declareTransferOptions(command);

  command.optionsGroup('Checking:');
  command
    .option('--digest <digest>', 'expected sha256 digest, with exactly one FILE', parseDigest)
    .option('--no-check', 'send without asking ECR whether it has the layer');
  declareHashingOptions(command);
  declareOutputOptions(command, 'results as JSON lines');

  command.showHelpAfterError('  see: longshore layer --help');
  command.addHelpText('after', LAYER_EPILOGUE);
  command.action(async (files: string[], flags: LayerFlags) => {
    // It stands on the whole library, which neither help nor the emulator should load.
    const { runLayerCommand } = await import('./layer-command.ts');
    finish(await runLayerCommand(context, files, flags));
  });
}
