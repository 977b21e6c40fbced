/** The command line as a whole: declares the commands, runs one, and turns errors into exit codes. */

import { createRequire } from 'node:module';
import { Command, CommanderError } from 'commander';
import { CommandFailure } from './command-failure.ts';
import type { CliContext } from './context.ts';
import { declareEmulator } from './emulator-arguments.ts';
import { describeError, errorLine, exitCodeOf, isDebug } from './error-report.ts';
import { EXIT_DONE, EXIT_FAILED, EXIT_USAGE } from './exit-code.ts';
import { declareLayer } from './layer-arguments.ts';
import { chooseStyle } from './progress/style.ts';
import { declarePush } from './push-arguments.ts';
import { declareSync } from './sync-arguments.ts';
import { UsageError } from './usage-error.ts';
import { declareVerify } from './verify-arguments.ts';

const DESCRIPTION = `\
Moves container images and layers into Amazon ECR through the ECR API: parts in
parallel, worker threads, digests checked on both sides.`;

const EPILOGUE = `
Exit codes:
  0 done, 1 failed, 2 wrong usage, 3 partly failed, 130 interrupted
  With --json, what ended a command is {"error": {"code", "message", "details",
  "retryable", "origin"}} on standard output; wrong usage has the code E_USAGE,
  an interruption ABORTED.

Environment:
  AWS_REGION, AWS_PROFILE, AWS_ACCESS_KEY_ID, ... and the other AWS settings
  AWS_ENDPOINT_URL_ECR, AWS_CA_BUNDLE, HTTPS_PROXY, NO_PROXY
  NO_COLOR, FORCE_COLOR, LONGSHORE_DEBUG

Examples:
  $ longshore push build/oci team/app:1.0 --create-repository
  $ longshore sync mirror.yaml --dry-run
  $ longshore verify team/app:1.0
  $ longshore layer layer.tar.gz --repository team/app
  $ eval "$(longshore emulator --quiet &)"
`;

/**
 * Runs one command line.
 * @param commandLine the words after the program's name
 * @returns the exit code; nothing is thrown
 */
export async function runProgram(
  context: CliContext,
  commandLine: readonly string[],
): Promise<number> {
  let exitCode = EXIT_DONE;
  const program = declareProgram(context, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync(commandLine, { from: 'user' });
    return exitCode;
  } catch (error) {
    return endWithError(context, error, {
      debug: isGiven(commandLine, '--debug'),
      json: isGiven(commandLine, '--json'),
      command: commandNamed(program, commandLine[0]),
    });
  }
}

function declareProgram(context: CliContext, finish: (exitCode: number) => void): Command {
  const { stdout, stderr } = context;
  const outColors = chooseStyle(context, stdout).colors;
  const program = new Command('longshore')
    .description(DESCRIPTION)
    .usage('<command> [options]')
    .version(`longshore ${packageVersion()}`, '-V, --version', 'show the version')
    .helpOption('-h, --help', 'show this help')
    .helpCommand('help [command]', 'show the help of a command')
    .exitOverride()
    .configureHelp({
      helpWidth: Math.min(100, Math.max(60, stdout.columns)),
      styleTitle: (title) => outColors.bold(title),
      sortSubcommands: false,
    })
    .configureOutput({
      writeOut: (text) => void stdout.write(text),
      writeErr: (text) => void stderr.write(text),
      outputError: (text, write) => write(text.replace(/^error: /, 'longshore: ')),
      getOutHasColors: () => outColors.isColorSupported,
      getErrHasColors: () => chooseStyle(context, stderr).colors.isColorSupported,
      getOutHelpWidth: () => stdout.columns,
      getErrHelpWidth: () => stderr.columns,
    })
    .showHelpAfterError('  see: longshore --help')
    .addHelpText('after', EPILOGUE);
  declarePush(program, context, finish);
  declareSync(program, context, finish);
  declareVerify(program, context, finish);
  declareLayer(program, context, finish);
  declareEmulator(program, context, finish);
  return program;
}

/** @returns the exit code */
function endWithError(
  context: CliContext,
  error: unknown,
  flags: { readonly debug: boolean; readonly json: boolean; readonly command: string },
): number {
  const wrongUsage = error instanceof CommanderError ? usageErrorOf(error) : error;
  // The help that was asked for.
  if (wrongUsage === undefined) return EXIT_DONE;
  // Who reads JSON gets it whatever went wrong; people find the same on standard error.
  if (flags.json) context.stdout.write(errorLine(wrongUsage));
  if (wrongUsage instanceof UsageError) {
    // Commander has printed its own message by now.
    if (wrongUsage === error) {
      const help = `longshore ${flags.command}--help`;
      context.stderr.write(`longshore: ${wrongUsage.message}\n  see: ${help}\n`);
    }
    return EXIT_USAGE;
  }
  if (error instanceof CommandFailure) {
    context.stderr.write(`longshore: ${error.message}\n`);
    return EXIT_FAILED;
  }
  const debug = isDebug(context.env, flags);
  context.stderr.write(`${describeError(error, [], debug)}\n`);
  return exitCodeOf(error);
}

/** With a space behind it; empty if the word is no command. */
function commandNamed(program: Command, word: string | undefined): string {
  return program.commands.some((command) => command.name() === word) ? `${String(word)} ` : '';
}

function usageErrorOf(error: CommanderError): UsageError | undefined {
  if (error.exitCode === 0) return undefined;
  return new UsageError(error.message.replace(/^error: /, '').split('\n')[0]);
}

/** Asked of the words themselves: a command line that is wrong was not parsed. */
function isGiven(commandLine: readonly string[], flag: string): boolean {
  const end = commandLine.indexOf('--');
  return (end < 0 ? commandLine : commandLine.slice(0, end)).includes(flag);
}

/** By the package's own name: the compiled tree is one folder deeper than the sources. */
function packageVersion(): string {
  const found: unknown = createRequire(import.meta.url)('longshore/package.json');
  const isPackage = typeof found === 'object' && found !== null && 'version' in found;
  return isPackage ? String(found.version) : 'unknown';
}
