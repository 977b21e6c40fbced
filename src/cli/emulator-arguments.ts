/** Declares `longshore emulator` and its options. */

import type { Command } from 'commander';
import type { CliContext } from './context.ts';
import { runEmulatorCommand } from './emulator-command.ts';
import type { EmulatorFlags } from './emulator-flags.ts';
import { integerBetween, parseRegistryId, parseSize, positiveNumber } from './option-values.ts';

const DESCRIPTION = `\
Runs a local ECR: the JSON API and the registry API over one store, as strict
as ECR about order, sizes, digests, signatures and immutability.

When it is ready it prints how to reach it, as lines for a shell or as JSON.`;

const EPILOGUE = `
Examples:
  In the background, for this shell:
  $ eval "$(longshore emulator --quiet &)"
  $ kill "$LONGSHORE_EMULATOR_PID"
  Kept on disk, at a port of your own:
  $ longshore emulator --port 4566 --data ./registry
  A slow line, and ECR's quotas:
  $ longshore emulator --round-trip 40 --bandwidth 50 --quotas

Exit codes:
  0 stopped by a signal or the end of standard input, 1 failed, 2 wrong usage
`;

const MILLISECONDS_MAX = 60_000;

export function declareEmulator(
  program: Command,
  context: CliContext,
  finish: (exitCode: number) => void,
): void {
  const milliseconds = integerBetween(0, MILLISECONDS_MAX);
  const command = program
    .command('emulator')
    .summary('run a local ECR')
    .description(DESCRIPTION)
    .option('--port <n>', 'port, 0 for any free one (default: 0)', integerBetween(0, 65_535))
    .option('--host <address>', 'address to listen on (default: 127.0.0.1)')
    .option('--data <dir>', 'keep layers and images there (default: in memory)')
    .option('--discard', 'check parts, but keep no bytes; for speed tests')
    .option('--region <region>', 'region of signatures (default: us-east-1)')
    .option('--registry-id <account>', 'AWS account, 12 digits', parseRegistryId)
    .option('--part-size-max <size>', 'largest part taken in MiB (default: 20)', parseSize)
    .option('--tls-key <file>', 'PEM private key; serves HTTPS')
    .option('--tls-cert <file>', 'PEM certificate of that key');

  command.optionsGroup('Network and service:');
  command
    .option('--quotas', "throttle as ECR's default quotas do")
    .option('--round-trip <ms>', 'round-trip time in milliseconds (default: 0)', milliseconds)
    .option('--service-time <ms>', "the service's time for a part in milliseconds", milliseconds)
    .option('--bandwidth <MB/s>', 'of all connections together, in MB/s', positiveNumber)
    .option('--connection-bandwidth <MB/s>', 'of each connection, in MB/s', positiveNumber);

  command.optionsGroup('Output and end:');
  command
    .option('--json', 'print the settings as one line of JSON')
    .option('-q, --quiet', 'print nothing for people')
    .option('--until-stdin-closes', 'end with the process that started it')
    .option('--debug', 'print stacks of errors (or LONGSHORE_DEBUG=1)')
    .helpOption('-h, --help', 'show this help');

  command.showHelpAfterError('  see: longshore emulator --help');
  command.addHelpText('after', EPILOGUE);
  command.action(async (flags: EmulatorFlags) => {
    finish(await runEmulatorCommand(context, flags));
  });
}
