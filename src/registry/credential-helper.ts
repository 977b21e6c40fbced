/** Asks a program for credentials, as Docker does: `docker-credential-NAME get`. */

import { spawn } from 'node:child_process';
import type { StoredCredentials } from './docker-config.ts';
import type { Surroundings } from './surroundings.ts';

/** A helper may ask its user; nobody should wait for it for ever. */
const HELPER_TIMEOUT_MS = 30_000;
/** Tokens have a few kilobytes. */
const OUTPUT_BYTES_MAX = 65_536;
const TEXT_CHARACTERS_MAX = 200;

/** The rest of a file name: no helper is started from a path. */
const HELPER_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;
/** How helpers say that they have nothing for this server. */
const NOTHING_STORED = /credentials not found|no credentials (server|found)|not found in/i;
/** In place of a user name: the secret is an identity token. */
const TOKEN_USER = '<token>';

/** What keeps a helper from answering; the text holds nothing secret. */
export class HelperProblem extends Error {}

/**
 * @returns `undefined` if the helper has nothing for the server
 * @throws HelperProblem; the signal's reason
 */
export async function askHelper(
  name: string,
  server: string,
  surroundings: Surroundings,
  signal: AbortSignal,
): Promise<StoredCredentials | undefined> {
  if (!HELPER_NAME.test(name)) throw new HelperProblem('a credential helper has no valid name');
  const program = `docker-credential-${name}`;
  const { exitCode, output } = await run(program, server, surroundings, signal);
  return credentialsIn(program, exitCode, output);
}

/**
 * What a helper says when it has ended.
 * @throws HelperProblem
 */
export function credentialsIn(
  program: string,
  exitCode: number | null,
  output: string,
): StoredCredentials | undefined {
  if (exitCode !== 0) {
    if (NOTHING_STORED.test(output)) return undefined;
    // A helper that fails half-way may have written what it should keep.
    const said = /secret|["{}]/i.test(output) ? '' : firstLineOf(output);
    throw new HelperProblem(`${program} failed${said === '' ? '' : `: ${said}`}`);
  }
  try {
    const { Username, Secret } = JSON.parse(output) as { Username?: unknown; Secret?: unknown };
    if (typeof Username !== 'string' || typeof Secret !== 'string') throw new Error('incomplete');
    if (Username === '' && Secret === '') return undefined;
    if (Username === TOKEN_USER) return { identityToken: Secret };
    return { username: Username, password: Secret };
  } catch {
    // What the parser complains of may be part of a secret.
    throw new HelperProblem(`${program} answered something that is not what a helper answers`);
  }
}

function run(
  program: string,
  input: string,
  { environment }: Surroundings,
  signal: AbortSignal,
): Promise<{ readonly exitCode: number | null; readonly output: string }> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) throw signal.reason;
    const child = spawn(program, ['get'], {
      env: { ...environment },
      stdio: ['pipe', 'pipe', 'ignore'],
      windowsHide: true,
    });
    const pieces: Buffer[] = [];
    let sizeBytes = 0;
    const finish = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      // Grandchildren may hold its output open.
      child.stdout.destroy();
      child.kill('SIGKILL');
    };
    const fail = (reason: unknown): void => {
      finish();
      reject(reason);
    };
    const onAbort = (): void => fail(signal.reason);
    const timer = setTimeout(
      () => fail(new HelperProblem(`${program} did not answer within ${HELPER_TIMEOUT_MS} ms`)),
      HELPER_TIMEOUT_MS,
    );
    signal.addEventListener('abort', onAbort, { once: true });
    child.on('error', (error: NodeJS.ErrnoException) => {
      const isMissing = error.code === 'ENOENT';
      fail(new HelperProblem(`${program} ${isMissing ? 'is not on the PATH' : 'cannot be run'}`));
    });
    child.stdout.on('data', (piece: Buffer) => {
      sizeBytes += piece.length;
      if (sizeBytes > OUTPUT_BYTES_MAX) {
        fail(new HelperProblem(`${program} answered more than ${OUTPUT_BYTES_MAX} bytes`));
      } else {
        pieces.push(piece);
      }
    });
    child.on('close', (exitCode) => {
      finish();
      resolve({ exitCode, output: Buffer.concat(pieces).toString('utf8') });
    });
    // A helper that ended before it read its input.
    child.stdin.on('error', () => undefined);
    child.stdin.end(`${input}\n`);
  });
}

function firstLineOf(output: string): string {
  const [line = ''] = output.trim().split('\n');
  return line.replaceAll(/[^\x20-\x7e]+/g, ' ').slice(0, TEXT_CHARACTERS_MAX);
}
