/** `longshore emulator`: runs a local ECR until it is told to stop. */

import type { Emulator } from '../emulator/index.ts';
import { CommandFailure } from './command-failure.ts';
import type { CliContext } from './context.ts';
import { type EmulatorFlags, emulatorOptionsOf } from './emulator-flags.ts';
import { EXIT_DONE } from './exit-code.ts';
import { UsageError } from './usage-error.ts';

/** @returns the exit code */
export async function runEmulatorCommand(
  context: CliContext,
  flags: EmulatorFlags,
): Promise<number> {
  const emulator = await start(context, flags);
  // Listened for before anybody can know that it runs, so that no early signal is lost.
  const ended = whenToEnd(context, flags.untilStdinCloses === true);
  try {
    context.stdout.write(flags.json === true ? jsonLine(emulator) : exportLines(context, emulator));
    if (flags.quiet !== true) context.stderr.write(`${readyLine(emulator, flags)}\n`);
    // Otherwise `eval "$(longshore emulator &)"` would wait for the end of the emulator.
    context.closeStdout();
    await ended;
  } finally {
    await emulator.stop();
  }
  return EXIT_DONE;
}

async function start(context: CliContext, flags: EmulatorFlags): Promise<Emulator> {
  const options = emulatorOptionsOf(flags);
  try {
    return await context.startEmulator(options);
  } catch (error) {
    if (error instanceof RangeError) throw new UsageError(error.message);
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    const where = `${options.host ?? '127.0.0.1'}:${options.port ?? 0}`;
    if (code === 'EADDRINUSE') {
      throw new CommandFailure(`${where} is in use; choose another --port, or 0 for any free one`);
    }
    if (code === 'EACCES' || code === 'EADDRNOTAVAIL') {
      throw new CommandFailure(
        `cannot listen on ${where} (${code}); choose another --host or --port`,
      );
    }
    throw error;
  }
}

function whenToEnd(context: CliContext, untilStdinCloses: boolean): Promise<void> {
  return new Promise((resolve) => {
    // The next signal then ends the process in the usual way, should stopping take too long.
    const stopListening = context.signals.listen(() => {
      stopListening();
      resolve();
    });
    if (!untilStdinCloses) return;
    const { stdin } = context;
    for (const event of ['end', 'close', 'error']) {
      stdin.once(event, () => {
        stopListening();
        resolve();
      });
    }
    stdin.resume();
  });
}

function jsonLine(emulator: Emulator): string {
  const { endpoint, registryHost, region, registryId, credentials } = emulator;
  const { accessKeyId, secretAccessKey } = credentials;
  const fields = { endpoint, registryHost, region, registryId, accessKeyId, secretAccessKey };
  return `${JSON.stringify(fields)}\n`;
}

/** For `eval` in any POSIX shell. */
function exportLines(context: CliContext, emulator: Emulator): string {
  const { endpoint, region, credentials } = emulator;
  const variables = {
    AWS_ENDPOINT_URL_ECR: endpoint,
    AWS_REGION: region,
    // What version 1 of the AWS CLI reads.
    AWS_DEFAULT_REGION: region,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    LONGSHORE_EMULATOR_PID: String(context.processId),
  };
  const exports = Object.entries(variables).map(
    ([name, value]) => `export ${name}='${value.replaceAll("'", `'\\''`)}'`,
  );
  // A profile goes before keys in the AWS SDKs, and a session token belongs to other keys.
  return `${[...exports, 'unset AWS_PROFILE AWS_SESSION_TOKEN'].join('\n')}\n`;
}

function readyLine(emulator: Emulator, flags: EmulatorFlags): string {
  const kept =
    flags.discard === true
      ? 'part bodies are discarded'
      : flags.data === undefined
        ? 'layers are kept in memory'
        : `layers are kept in ${flags.data}`;
  const end = flags.untilStdinCloses === true ? 'until standard input closes' : 'until Ctrl-C';
  return `longshore emulator: ECR at ${emulator.endpoint}, ${kept}, ${end}`;
}
