/** The source of a sync's benchmark, where Debian's registry is not to be had: a corpus, served from its seed. */

import { makeCorpus } from '../../test/sync/corpus-maker.ts';
import { CorpusRegistry } from '../../test/sync/corpus-registry.ts';
import type { CorpusSpec } from '../../test/sync/corpus-maker.ts';
import { listen, say } from './conversation.ts';

let registry: Promise<CorpusRegistry> | undefined;

// The first line starts the server, every further one asks what it was asked since the one before.
listen((value) => {
  const answer = registry === undefined ? start(value as CorpusSpec) : usage(registry);
  answer.then(say, (error: unknown) => {
    console.error(error);
    process.exit(1);
  });
});

async function start(spec: CorpusSpec): Promise<unknown> {
  registry = CorpusRegistry.start(makeCorpus(spec));
  return { host: (await registry).host };
}

async function usage(started: Promise<CorpusRegistry>): Promise<unknown> {
  const source = await started;
  const requests = source.requests.map(({ method, path, statusCode, sentBytes }) => ({
    method,
    path,
    statusCode,
    sentBytes,
  }));
  source.clearRequests();
  return requests;
}
