/** Declares the options that the uploading commands have in common. */

import { type Command, Option } from 'commander';
import { integerBetween, parseEndpoint, parseRegistryId, sizeBetween } from './option-values.ts';

/** Which registry, and how to reach it. */
export function declareRegistryOptions(command: Command): void {
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
    );
  declareCertificates(command);
}

export function declareCertificates(command: Command): void {
  command.option('--ca-file <file>', 'PEM certificates to trust (default: AWS_CA_BUNDLE)');
}

/**
 * How layers travel.
 * @param layersInFlight what the library does by default
 */
export function declareTransferOptions(command: Command, layersInFlight: number = 16): void {
  command.optionsGroup('Transfer:');
  command
    .option(
      '--part-size <size>',
      '5 to 20 MiB, such as 20 or 20MiB (default: what ECR says)',
      sizeBetween(5, 20),
    )
    .option(
      '--parts-in-flight <n>',
      'most parts of a layer at once, 1 to 64 (default: 16)',
      integerBetween(1, 64),
    )
    .option(
      '--parts-in-flight-total <n>',
      'parts of all layers at once, 1 to 1024 (default: 64)',
      integerBetween(1, 1024),
    )
    .option(
      '--layers-in-flight <n>',
      `layers at once, 1 to 256 (default: ${layersInFlight})`,
      integerBetween(1, 256),
    )
    .option(
      '--memory <size>',
      'cap on part buffers, 32 MiB or more (default: 128)',
      sizeBetween(32, 65_536),
    );
  declareAttempts(command);
  command
    .option(
      '--source-timeout <seconds>',
      'longest silence of a source, 1 to 86400 (default: 3600)',
      integerBetween(1, 86_400),
    )
    .option('--no-resume', 'keep no journal to resume from')
    .option(
      '--resume-directory <folder>',
      'where journals are (default: XDG_STATE_HOME/longshore)',
    );
}

export function declareAttempts(command: Command): void {
  command.option(
    '--attempts <n>',
    'attempts of a call, 1 to 100 (default: 8)',
    integerBetween(1, 100),
  );
}

/** Who hashes, and on how many threads. */
export function declareHashingOptions(command: Command): void {
  command
    .addOption(
      new Option('--hasher <kind>', 'SHA-256 by (default: auto, the faster one)').choices([
        'auto',
        'wasm',
        'native',
      ]),
    )
    .option('--workers <n>', 'threads, 1 to 64 (default: cores, at most 4)', integerBetween(1, 64));
}

/** @param json what `--json` prints */
export function declareOutputOptions(command: Command, json: string): void {
  command.optionsGroup('Output:');
  command
    .option('--json', json)
    .option('-q, --quiet', 'print results and errors only')
    .option('--no-progress', 'plain lines instead of bars')
    .option('--debug', 'print stacks of errors (or LONGSHORE_DEBUG=1)')
    .helpOption('-h, --help', 'show this help');
}
