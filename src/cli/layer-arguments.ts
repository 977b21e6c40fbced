/** Declares `longshore layer` and its options. */

import { type Command, Option } from 'commander';
import type { CliContext } from './context.ts';
import type { LayerFlags } from './layer-flags.ts';
import { LAYER_DESCRIPTION, LAYER_EPILOGUE } from './layer-help.ts';
import {
  integerBetween,
  parseDigest,
  parseEndpoint,
  parseRegistryId,
  parseSize,
} from './option-values.ts';

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

  command.optionsGroup('Registry:');
  command
    .option('--region <region>', 'AWS region (default: AWS_REGION or the profile)')
    .option(
      '--endpoint-url <url>',
      'ECR endpoint (default: AWS_ENDPOINT_URL_ECR, else AWS)',
      parseEndpoint,
    )
    .option(
      '--registry-id <account>',
      'AWS account, 12 digits (default: your own)',
      parseRegistryId,
    )
    .option('--create-repository', 'create the repository if it is missing')
    .option('--ca-file <file>', 'PEM certificates to trust (default: AWS_CA_BUNDLE)');

  command.optionsGroup('Transfer:');
  command
    .option(
      '--part-size <size>',
      '5 to 20 MiB, such as 20 or 20MiB (default: what ECR says)',
      parseSize,
    )
    .option(
      '--parts-in-flight <n>',
      'parts of a layer at once, 1 to 64 (default: 6)',
      integerBetween(1, 64),
    )
    .option(
      '--parts-in-flight-total <n>',
      'parts of all layers at once, 1 to 1024 (default: 24)',
      integerBetween(1, 1024),
    )
    .option(
      '--layers-in-flight <n>',
      'layers at once, 1 to 256 (default: 6)',
      integerBetween(1, 256),
    )
    .option('--memory <size>', 'cap on part buffers in MiB (default: 64)', parseSize)
    .option('--attempts <n>', 'attempts of a call, 1 to 100 (default: 8)', integerBetween(1, 100));

  command.optionsGroup('Checking:');
  command
    .option('--digest <digest>', 'expected sha256 digest, with exactly one FILE', parseDigest)
    .option('--no-check', 'send without asking ECR whether it has the layer')
    .addOption(
      new Option('--hasher <kind>', 'SHA-256 by (default: auto, the faster one)').choices([
        'auto',
        'wasm',
        'native',
      ]),
    )
    .option('--workers <n>', 'threads, 1 to 64 (default: cores, at most 4)', integerBetween(1, 64));

  command.optionsGroup('Output:');
  command
    .option('--json', 'results as JSON lines')
    .option('-q, --quiet', 'print results and errors only')
    .option('--no-progress', 'plain lines instead of bars')
    .option('--debug', 'print stacks of errors (or LONGSHORE_DEBUG=1)')
    .helpOption('-h, --help', 'show this help');

  command.showHelpAfterError('  see: longshore layer --help');
  command.addHelpText('after', LAYER_EPILOGUE);
  command.action(async (files: string[], flags: LayerFlags) => {
    // It stands on the whole library, which neither help nor the emulator should load.
    const { runLayerCommand } = await import('./layer-command.ts');
    finish(await runLayerCommand(context, files, flags));
  });
}
