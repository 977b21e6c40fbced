/** What must be gone when the benchmark ends, however it ends. */

type Undo = () => void;

const pending = new Set<Undo>();
const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/**
 * Registers something to undo when the process exits. It must be synchronous: nothing else runs
 * in an exit handler.
 * @returns runs it now, once
 */
export function cleanUpAtExit(undo: Undo): Undo {
  const entry: Undo = () => {
    if (pending.delete(entry)) undo();
  };
  pending.add(entry);
  return entry;
}

/** Makes Ctrl-C and its kind end the process through its exit handlers. */
export function installCleanup(): void {
  process.on('exit', () => {
    for (const entry of pending) {
      try {
        entry();
      } catch (error) {
        console.error(`clean-up failed: ${String(error)}`);
      }
    }
  });
  for (const [signal, exitCode] of Object.entries(SIGNALS)) {
    process.once(signal, () => process.exit(exitCode));
  }
}
