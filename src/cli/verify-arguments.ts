/** Declares `longshore verify` and its options. */

import type { Command } from 'commander';
import type { CliContext } from './context.ts';
import { declareImageOptions } from './image-arguments.ts';
import {
  declareAttempts,
  declareHashingOptions,
  declareOutputOptions,
  declareRegistryOptions,
} from './uploader-arguments.ts';
import type { VerifyFlags } from './verify-command.ts';

const DESCRIPTION = `\
Reads an image back from ECR and checks the digest and size of every manifest,
config and layer; with SOURCE also that the image is the one that is there.`;

const EPILOGUE = `
SOURCE is as for longshore push, and so are the options that choose an image;
give the ones of the push.

Output:
  One line on standard output: REPOSITORY@DIGEST verified [TAG]; if anything is
  wrong, one line for each finding instead.
  With --json one JSON object: what was verified, or {"error": {"code",
  "message", "details", "retryable", "origin"}} with "problems" in its details.
  Progress, a summary and errors go to standard error.

Exit codes:
  0    everything is as it should be
  1    it is not, or it could not be read
  2    wrong usage, nothing was started
  130  interrupted

Examples:
  $ longshore verify team/app:1.0
  $ longshore verify team/app:1.0 build/oci
  $ longshore verify team/app@sha256:4f53cda18c2baa0c... --json
`;

export function declareVerify(
  program: Command,
  context: CliContext,
  finish: (exitCode: number) => void,
): void {
  const command = program
    .command('verify')
    .summary('read an image back and check it')
    .usage('[options] <REPOSITORY:TAG|REPOSITORY@DIGEST> [SOURCE]')
    .description(DESCRIPTION)
    .argument('<REPOSITORY>', 'with or without registry host; :TAG or @DIGEST')
    .argument('[SOURCE]', 'what it should be: as for longshore push')
    .option('--referrers', 'also read signatures, SBOMs and the like');

  declareImageOptions(command);
  declareRegistryOptions(command);
  command.optionsGroup('Reading:');
  declareAttempts(command);
  declareHashingOptions(command);
  declareOutputOptions(command, 'one JSON object: what was verified, or the error');

  command.showHelpAfterError('  see: longshore verify --help');
  command.addHelpText('after', EPILOGUE);
  command.action(async (repository: string, source: string | undefined, flags: VerifyFlags) => {
    // It stands on the whole library, which help should not load.
    const { runVerifyCommand } = await import('./verify-command.ts');
    finish(await runVerifyCommand(context, repository, source, flags));
  });
}
