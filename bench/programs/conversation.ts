/** A child's side of the line: jobs come by stdin, answers go to stdout, one JSON value a line. */

import { createInterface } from 'node:readline';

/**
 * Calls `onLine` with every value the benchmark sends. When the benchmark is gone, stdin ends and
 * so does this process: nothing may outlive a benchmark that was killed.
 */
export function listen(onLine: (value: unknown) => void): void {
  const lines = createInterface({ input: process.stdin });
  lines.on('line', (line) => {
    onLine(JSON.parse(line));
  });
  lines.on('close', () => process.exit(1));
}

/** Sends one value. */
export function say(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}
