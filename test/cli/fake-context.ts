/** A context that collects what a command prints, and sends it signals. */

import { Readable } from 'node:stream';
import type { CliContext, EndSignal, TextOutput } from '../../src/cli/context.ts';

export class FakeOutput implements TextOutput {
  text = '';
  isTerminal = false;
  columns = 80;
  rows = 24;
  readonly resizeListeners: Set<() => void> = new Set();

  write(text: string): boolean {
    this.text += text;
    return true;
  }

  onResize(listener: () => void): () => void {
    this.resizeListeners.add(listener);
    return () => void this.resizeListeners.delete(listener);
  }

  get lines(): string[] {
    return this.text.split('\n').slice(0, -1);
  }
}

export interface FakeContext extends CliContext {
  readonly stdout: FakeOutput;
  readonly stderr: FakeOutput;
  readonly exitListeners: Set<() => void>;
  readonly signalListeners: Set<(signal: EndSignal) => void>;
  readonly stdoutClosed: () => boolean;
  send(signal: EndSignal): void;
}

export function fakeContext(overrides: Partial<CliContext> = {}): FakeContext {
  const signalListeners = new Set<(signal: EndSignal) => void>();
  const exitListeners = new Set<() => void>();
  let closed = false;
  return {
    stdin: Readable.from([]),
    stdinIsTerminal: false,
    env: {},
    platform: 'linux',
    processId: 4711,
    closeStdout: () => {
      closed = true;
    },
    onExit: (listener) => {
      exitListeners.add(listener);
      return () => void exitListeners.delete(listener);
    },
    signals: {
      listen: (listener) => {
        signalListeners.add(listener);
        return () => void signalListeners.delete(listener);
      },
    },
    now: () => 0,
    createUploader: () => Promise.reject(new Error('no uploader in this test')),
    loadImages: () => Promise.reject(new Error('no images in this test')),
    loadSync: () => Promise.reject(new Error('no sync in this test')),
    startEmulator: () => Promise.reject(new Error('no emulator in this test')),
    ...overrides,
    stdout: new FakeOutput(),
    stderr: new FakeOutput(),
    exitListeners,
    signalListeners,
    stdoutClosed: () => closed,
    send: (signal) => {
      for (const listener of signalListeners) listener(signal);
    },
  };
}
