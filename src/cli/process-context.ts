/** The context of a real process. */

import { closeSync, openSync } from 'node:fs';
import { devNull } from 'node:os';
import { isatty, type WriteStream } from 'node:tty';
import type { CliContext, EndSignal, SignalSource, TextOutput } from './context.ts';

/** Used where output goes to a file or a pipe. */
const COLUMNS_DEFAULT = 80;
const ROWS_DEFAULT = 24;

export function processContext(): CliContext {
  // The AWS client's notice about next year's Node.js would run into the bars of every upload.
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
  return {
    // Looked at only when it is read: the mere look at it can keep a process alive.
    get stdin() {
      return process.stdin;
    },
    get stdinIsTerminal() {
      return isatty(process.stdin.fd);
    },
    stdout: textOutput(process.stdout),
    stderr: textOutput(process.stderr),
    env: process.env,
    platform: process.platform,
    processId: process.pid,
    signals: processSignals(),
    closeStdout,
    onExit: (listener) => {
      process.on('exit', listener);
      return () => void process.off('exit', listener);
    },
    now: () => performance.now(),
    // Loaded when needed: help has no use for the AWS client, and an upload none for the emulator.
    createUploader: async (options) => (await import('../index.ts')).createUploader(options),
    loadImages: () => import('../index.ts'),
    loadSync: () => import('../sync/index.ts'),
    startEmulator: async (options) => (await import('../emulator/index.ts')).startEmulator(options),
  };
}

function textOutput(stream: WriteStream & { readonly fd: number }): TextOutput {
  let open = true;
  stream.on('error', (error: NodeJS.ErrnoException) => {
    // The reader has gone (`| head`): the upload goes on, for it is what was asked for.
    open = false;
    if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error;
  });
  return {
    write: (text) => open && stream.write(text),
    get isTerminal() {
      return isatty(stream.fd);
    },
    get columns() {
      return positive(stream.columns, COLUMNS_DEFAULT);
    },
    get rows() {
      return positive(stream.rows, ROWS_DEFAULT);
    },
    onResize: (listener) => {
      stream.on('resize', listener);
      return () => void stream.off('resize', listener);
    },
  };
}

/** Node cannot close it, so its descriptor is given to the null device, as daemons do. */
function closeStdout(): void {
  if (process.platform === 'win32' || isatty(process.stdout.fd)) return;
  const descriptor = process.stdout.fd;
  closeSync(descriptor);
  // The system gives the lowest free number: that of standard output, so nothing else gets it.
  openSync(devNull, 'w');
}

function processSignals(): SignalSource {
  const signals: readonly EndSignal[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  return {
    listen: (listener) => {
      for (const signal of signals) process.on(signal, listener);
      return () => {
        for (const signal of signals) process.off(signal, listener);
      };
    },
  };
}

/** Pipes have no size, and a terminal that is just being opened may say 0. */
function positive(value: number | undefined, otherwise: number): number {
  return value !== undefined && value > 0 ? value : otherwise;
}
