/** A password from standard input: on the command line everybody could see it. */

import type { CliContext } from './context.ts';
import { UsageError } from './usage-error.ts';

/** Tokens are long, but not as long as a file that got there by mistake. */
const LENGTH_MAX = 65_536;

/** All of standard input but the end of its line. */
export async function readPassword(
  context: Pick<CliContext, 'stdin' | 'stdinIsTerminal'>,
): Promise<string> {
  if (context.stdinIsTerminal) {
    throw new UsageError('--source-password-stdin: standard input is a terminal; pipe it in');
  }
  const chunks: Buffer[] = [];
  let lengthBytes = 0;
  for await (const chunk of context.stdin) {
    const bytes = Buffer.from(chunk as Uint8Array | string);
    lengthBytes += bytes.length;
    if (lengthBytes > LENGTH_MAX) {
      throw new UsageError('--source-password-stdin: standard input is too long for a password');
    }
    chunks.push(bytes);
  }
  const password = Buffer.concat(chunks)
    .toString('utf8')
    .replace(/\r?\n$/, '');
  if (password === '') throw new UsageError('--source-password-stdin: standard input is empty');
  return password;
}
