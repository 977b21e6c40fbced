/** Where a sync reads: Debian's registry filled with a corpus, or the corpus's own. */

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import type { Corpus } from '../../test/sync/corpus.ts';
import { loadCorpus } from '../../test/sync/corpus-loader.ts';
import type { CorpusSpec } from '../../test/sync/corpus-maker.ts';
import { Child } from '../harness/child-process.ts';
import { cleanUpAtExit } from '../harness/cleanup.ts';
import type { SourceAnswer } from './sync-protocol.ts';

export interface SyncSource extends AsyncDisposable {
  /** For the reader. */
  readonly name: string;
  readonly host: string;
  /** What it has answered since it was asked before. */
  answers(): Promise<readonly SourceAnswer[]>;
}

const PROGRAM = 'docker-registry';
const START_ATTEMPTS_MAX = 300;
const START_PAUSE_MS = 100;
/** The access log is written behind the reply. */
const LOG_LAG_MS = 300;
/** Apache's combined format. */
const LOG_LINE = /"([A-Z]+) (\S+) HTTP\/[\d.]+" (\d{3}) (\d+)/;

/** @param file the program that serves a corpus itself */
export async function startSource(
  corpus: Corpus,
  spec: CorpusSpec,
  file: string,
): Promise<SyncSource> {
  if (spawnSync(PROGRAM, ['--version']).status !== 0) return startOwn(spec, file);
  const source = await startDebian();
  await loadCorpus(corpus, source.host);
  await source.answers();
  return source;
}

async function startOwn(spec: CorpusSpec, file: string): Promise<SyncSource> {
  const child = new Child('the source', file);
  const { host } = (await child.ask(spec)) as { readonly host: string };
  return {
    name: `our own registry, as there is no ${PROGRAM} on PATH`,
    host,
    answers: async () => (await child.ask('usage')) as readonly SourceAnswer[],
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  };
}

async function startDebian(): Promise<SyncSource> {
  const folder = mkdtempSync(join(tmpdir(), 'longshore-bench-'));
  const remove = cleanUpAtExit(() => rmSync(folder, { recursive: true, force: true }));
  const host = `127.0.0.1:${await freePort()}`;
  const root = join(folder, 'registry');
  mkdirSync(root);
  const config = join(folder, 'config.yml');
  // JSON is YAML.
  const settings = {
    version: 0.1,
    log: { level: 'error' },
    storage: { filesystem: { rootdirectory: root } },
    http: { addr: host },
  };
  writeFileSync(config, JSON.stringify(settings));
  const child = spawn(PROGRAM, ['serve', config], { stdio: ['ignore', 'pipe', 'ignore'] });
  const forget = cleanUpAtExit(() => child.kill('SIGKILL'));
  const ended = once(child, 'exit');
  let answers: SourceAnswer[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => {
    const [, method, path = '', status, bytes] = LOG_LINE.exec(line) ?? [];
    if (method === undefined) return;
    answers.push({ method, path, statusCode: Number(status), sentBytes: Number(bytes) });
  });
  await started(host);
  return {
    name: PROGRAM,
    host,
    answers: async () => {
      await delay(LOG_LAG_MS);
      const seen = answers;
      answers = [];
      return seen;
    },
    [Symbol.asyncDispose]: async () => {
      forget();
      await ended;
      remove();
    },
  };
}

async function started(host: string): Promise<void> {
  for (let attempt = 0; attempt < START_ATTEMPTS_MAX; attempt += 1) {
    const reply = await fetch(`http://${host}/v2/`).catch(() => undefined);
    await reply?.arrayBuffer();
    if (reply?.ok === true) return;
    await delay(START_PAUSE_MS);
  }
  throw new Error(`${PROGRAM} does not answer at ${host}`);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
