/** Everything a command may touch of the world, so that a test can run it without a process. */

import type { Readable } from 'node:stream';
import type { Uploader, UploaderOptions } from '../index.ts';
import type { Emulator, EmulatorOptions } from '../emulator/index.ts';
import type { ImageConstructors } from './image-constructors.ts';
import type { SyncFunctions } from './sync-functions.ts';

/** A stream for text: a terminal, a pipe, or a test's collector. */
export interface TextOutput {
  write(text: string): boolean;
  readonly isTerminal: boolean;
  /** Of the terminal now; 80 and 24 where there is none. */
  readonly columns: number;
  readonly rows: number;
  /** Calls `listener` after the terminal changed its size; returns how to stop that. */
  onResize(listener: () => void): () => void;
}

/** The signals that ask a program to end. */
export type EndSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP';

/** Hands out signals. While nobody listens, they end the process as usual. */
export interface SignalSource {
  /** Returns how to stop listening. */
  listen(listener: (signal: EndSignal) => void): () => void;
}

export interface CliContext {
  readonly stdin: Readable;
  /** Whether a person would have to type what is read from `stdin`. */
  readonly stdinIsTerminal: boolean;
  /** Results for machines. */
  readonly stdout: TextOutput;
  /** Text for people. */
  readonly stderr: TextOutput;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
  readonly signals: SignalSource;
  readonly processId: number;
  /** Lets who reads standard output see its end before the process ends; it is not used after. */
  closeStdout(): void;
  /** Calls `listener` when the process ends by whatever way; returns how to stop that. */
  onExit(listener: () => void): () => void;
  /** Milliseconds on a clock that never goes back. */
  now(): number;
  readonly createUploader: (options: UploaderOptions) => Promise<Uploader>;
  readonly loadImages: () => Promise<ImageConstructors>;
  readonly loadSync: () => Promise<SyncFunctions>;
  readonly startEmulator: (options: EmulatorOptions) => Promise<Emulator>;
}
