/** What registries, token servers and credential helpers answer, and Docker's configuration. */

import { Readable } from 'node:stream';
import { LongshoreError } from '../../../src/errors.ts';
import { parseChallenges } from '../../../src/registry/challenge.ts';
import { credentialsIn, HelperProblem } from '../../../src/registry/credential-helper.ts';
import { ConfigProblem, readDockerConfig, storedFor } from '../../../src/registry/docker-config.ts';
import { nextLink } from '../../../src/registry/link-header.ts';
import { PageTrail, readPage } from '../../../src/registry/list-page.ts';
import { readManifestHead, readManifestReply } from '../../../src/registry/manifest-reply.ts';
import { ReadFault } from '../../../src/registry/read-fault.ts';
import { refusalOf } from '../../../src/registry/refusal.ts';
import { fetchToken } from '../../../src/registry/token-service.ts';
import type { HttpReply, Transport } from '../../../src/registry/transport.ts';
import { type FuzzTarget, outcomeOf, pureTarget } from '../fuzz-target.ts';
import { type ReplyText, replyTextOf } from './reply-text.ts';
import { withScratchFile } from './scratch-file.ts';

const STALL_MS = 10_000;
const signal = new AbortController().signal;
const url = new URL('https://registry.example/v2/a/tags/list');
const isOurs = (error: unknown): boolean => error instanceof ReadFault || LongshoreError.is(error);

const challenge: FuzzTarget = pureTarget({
  name: 'challenge',
  words: [
    'Bearer ',
    'Basic ',
    'realm=',
    '"https://auth.example/token"',
    'scope=',
    ',',
    'Negotiate YII=',
    '\\"',
  ],
  run: (input) => {
    const found = parseChallenges(input.toString('latin1').split('\n'));
    for (const { scheme } of found)
      if (scheme === '') throw new Error('a challenge without a scheme');
    return `${found.length} ${found.reduce((sum, { parameters }) => sum + parameters.size, 0)}`;
  },
});

const link: FuzzTarget = pureTarget({
  name: 'link-header',
  words: ['<', '>; rel="next"', ',', ';', ' rel=next', '"\\"', 'title="a, b"'],
  run: (input) => (nextLink(input.toString('latin1')) === undefined ? 'none' : 'next'),
});

const reply: FuzzTarget = pureTarget({
  name: 'registry-reply',
  words: [
    '200\n',
    '429\n',
    'content-type: application/json\n',
    'www-authenticate: Bearer realm="https://a.example/t"\n',
    'link: </v2/x?last=y>; rel="next"\n',
    'retry-after: 10\n',
    'date: Thu, 01 Jan 1970 00:00:00 GMT\n',
    'ratelimit-limit: 100;w=21600\n',
    'docker-content-digest: ',
    'content-length: 99999999\n',
    'location: //other.example/\n',
    '\n\n',
    '{"errors":[{"code":"DENIED","message":"no"}]}',
    '{"token":"abc","expires_in":1}',
    '{"tags":["a"]}',
  ],
  run: async (input) => {
    const text = replyTextOf(input);
    const outcomes = [
      await outcomeOf(() => refusalOf(httpReply(text), true, STALL_MS, signal), isOurs),
      await outcomeOf(() => readPage(httpReply(text), STALL_MS, signal), isOurs),
      await outcomeOf(() => new PageTrail().next(httpReply(text), url), isOurs),
      await outcomeOf(() => readManifestHead(httpReply(text)), isOurs),
      await outcomeOf(() => {
        const expectation = { source: 'fuzz', reference: 'v1', stallTimeoutMs: STALL_MS };
        return readManifestReply(httpReply(text), expectation, signal);
      }, isOurs),
      await outcomeOf(() => {
        const transport = { send: () => Promise.resolve(httpReply(text)) } as unknown as Transport;
        const service = { realm: url, service: undefined };
        const request = { service, scope: 'x', stored: undefined, endpoint: url };
        return fetchToken(transport, request, STALL_MS, signal);
      }, isOurs),
    ];
    return outcomes.map((outcome) => outcome.slice(0, 24)).join();
  },
});

function httpReply({ status, headers, body }: ReplyText): HttpReply {
  const valuesOf = (name: string): readonly string[] =>
    headers.flatMap(([known, value]) => (known === name ? [value] : []));
  return {
    url,
    status,
    body: Readable.from(body.length === 0 ? [] : [body]),
    header: (name) => valuesOf(name).at(-1),
    headers: valuesOf,
    discard: () => undefined,
  };
}

const dockerConfig: FuzzTarget = {
  name: 'docker-config',
  words: [
    '"auths":{',
    '"credHelpers":{',
    '"credsStore":"',
    '"auth":"bWU6cHc="',
    '"identitytoken":"t"',
    'https://index.docker.io/v1/',
  ],
  seeds: [],
  open: () =>
    Promise.resolve(
      withScratchFile('config.json', (path) =>
        outcomeOf(
          async () => {
            const config = await readDockerConfig(path, signal);
            return config === undefined ? undefined : storedFor(config.auths, ['docker.io'], 'a/b');
          },
          // Nothing of what is in the file: it may be a password.
          (error) => error instanceof ConfigProblem && error.message === `${path} is not JSON`,
        ),
      ),
    ),
};

const helperAnswer: FuzzTarget = pureTarget({
  name: 'credential-helper',
  words: ['0\n', '1\n', '"Username":"', '"Secret":"hush"', '<token>', 'credentials not found'],
  run: (input) => {
    const text = input.toString('utf8');
    const end = text.indexOf('\n');
    // Of an answer cut to pieces nothing is shown; a word alone may be what the helper complains of.
    const isTold = (message: string): boolean => text.includes('"') && /hush/i.test(message);
    return outcomeOf(
      () => credentialsIn('docker-credential-x', Number.parseInt(text, 10), text.slice(end + 1)),
      (error) => error instanceof HelperProblem && !isTold(error.message),
    );
  },
});

export const registryReplies: readonly FuzzTarget[] = [
  challenge,
  link,
  reply,
  dockerConfig,
  helperAnswer,
];
