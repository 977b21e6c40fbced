/** What clients send to the emulator. */

import { isDeepStrictEqual } from 'node:util';
import { connect } from 'node:net';
import { once } from 'node:events';
import { AuthorizationTokens } from '../../../src/emulator/authorization-token.ts';
import { claimedRangeOf } from '../../../src/emulator/distribution/claimed-range.ts';
import { RegistryFailure } from '../../../src/emulator/distribution/registry-failure.ts';
import { routeOf } from '../../../src/emulator/distribution/route.ts';
import { EcrException } from '../../../src/emulator/exception.ts';
import { startEmulator } from '../../../src/emulator/index.ts';
import { parseManifest } from '../../../src/emulator/manifest.ts';
import { OPERATION_NAMES } from '../../../src/emulator/operation-name.ts';
import { PartBody } from '../../../src/emulator/request-body.ts';
import { readSignature } from '../../../src/emulator/signature.ts';
import { StagingBudget } from '../../../src/emulator/staging-budget.ts';
import { type FuzzTarget, outcomeOf, pureTarget } from '../fuzz-target.ts';
import { replyTextOf } from './reply-text.ts';

const DIGEST = `sha256:${'ab'.repeat(32)}`;
const TARGET = 'AmazonEC2ContainerRegistry_V20150921';
const isException = (error: unknown): boolean => error instanceof EcrException;
const isFailure = (error: unknown): boolean => error instanceof RegistryFailure;

const partBody: FuzzTarget = pureTarget({
  name: 'part-body',
  words: [
    '"layerPartBlob":"',
    'AAAA',
    '==',
    '\\u0041',
    '\\/',
    '"partFirstByte":0',
    '"uploadId":"u"',
    ',',
    '{',
    '}',
  ],
  run: async (input) => {
    const whole = await scan(input, input.length);
    // However it is cut: the first byte says how.
    const pieces = await scan(input, 1 + ((input[0] ?? 0) % 7));
    if (!isDeepStrictEqual(whole, pieces)) throw new Error('it depends on how the body is cut');
    return whole.outcome;
  },
});

interface Scan {
  outcome: string;
  members: unknown;
  bytes: string;
}

async function scan(input: Buffer, pieceBytes: number): Promise<Scan> {
  const budget = new StagingBudget(1024 * 1024);
  const body = new PartBody(true, input.length, budget);
  const found: Scan = { outcome: '', members: undefined, bytes: '' };
  found.outcome = await outcomeOf(() => {
    for (let at = 0; at < input.length; at += pieceBytes) {
      body.write(input.subarray(at, at + pieceBytes));
    }
    found.members = body.end();
    found.bytes = Buffer.concat(body.part.slabs).toString('hex');
    return true;
  }, isException);
  body.release();
  return found;
}

const signature: FuzzTarget = pureTarget({
  name: 'signature',
  words: [
    'authorization: AWS4-HMAC-SHA256 ',
    'Credential=A/20260101/us-east-1/ecr/aws4_request,',
    'SignedHeaders=host;x-amz-date,',
    'Signature=',
    'x-amz-date: 20260101T000000Z\n',
    'x-amz-security-token: t\n',
    'authorization: Basic QVdTOmU=\n',
    '\n',
  ],
  run: async (input) => {
    const { headers } = replyTextOf(input);
    const head = {
      method: 'POST',
      target: input.toString('latin1', 0, 40),
      headers: Object.fromEntries(headers),
    };
    const context = {
      credentials: { accessKeyId: 'A', secretAccessKey: 'hush' },
      region: 'us-east-1',
      nowMs: Date.UTC(2026, 0, 1),
    };
    const verdict = new AuthorizationTokens('hush', '123456789012').judge(
      head.headers['authorization'],
      context.nowMs,
    );
    if (verdict === 'granted') throw new Error('it lets anybody in');
    const outcome = await outcomeOf(() => {
      if (readSignature(head, context).refusal(head.target) === undefined)
        throw new Error('it is forged');
    }, isException);
    return `${verdict} ${outcome}`;
  },
});

const route: FuzzTarget = pureTarget({
  name: 'distribution-route',
  words: [
    'GET ',
    'PUT ',
    'PATCH ',
    '/v2/',
    '/blobs/uploads/',
    '/manifests/',
    '/tags/list',
    '/referrers/',
    DIGEST,
    '%2f',
    '?digest=',
    '0-9',
    'bytes=',
  ],
  run: async (input) => {
    const text = input.toString('latin1');
    const [method = '', target = '', range = ''] = text.split(' ');
    const found = routeOf(method, target);
    const claimed = await outcomeOf(
      () => claimedRangeOf({ 'content-range': range, 'content-length': '10' }),
      isFailure,
    );
    if (found instanceof RegistryFailure) return `${found.code} ${claimed}`;
    const { endpoint } = found;
    if ('repositoryName' in endpoint && /\.\.|\/\//.test(endpoint.repositoryName)) {
      throw new Error(`a repository named ${endpoint.repositoryName}`);
    }
    return `${endpoint.kind} ${claimed}`;
  },
});

const manifest: FuzzTarget = pureTarget({
  name: 'emulator-manifest',
  words: [
    '"schemaVersion":2',
    '"config":{',
    '"layers":[',
    '"manifests":[',
    `"digest":"${DIGEST}"`,
    '"size":1',
    '"urls":[1]',
    '"subject":{',
  ],
  run: (input) => outcomeOf(() => parseManifest(input.toString('utf8')).mediaType, isException),
});

/** All that a handler sees, without the sockets; whatever is sent, there is an answer of ECR's kind. */
const apiRequest: FuzzTarget = {
  name: 'api-request',
  words: [
    ...OPERATION_NAMES.map((name) => `x-amz-target: ${TARGET}.${name}\n`),
    'content-type: application/x-amz-json-1.1\n',
    'content-length: -1\n',
    '\n\n',
    '{"repositoryName":"team/app"}',
    '"repositoryName":"team/app",',
    '"uploadId":"00000000-0000-0000-0000-000000000000",',
    '"partFirstByte":0,"partLastByte":3,"layerPartBlob":"AAAA"',
    `"layerDigests":["${DIGEST}"]`,
    '"imageIds":[{"imageTag":"v1"}]',
    '"imageManifest":"{}"',
    '"nextToken":"eyJhZnRlciI6MX0"',
    '"maxResults":1',
    '"name":"__proto__"',
    '"value":"x"',
  ],
  seeds: [],
  open: async () => {
    const emulator = await startEmulator({ verifySignatures: false });
    return {
      run: async (input) => {
        const { headers, body } = replyTextOf(input);
        const { response } = await emulator.requestHandler.handle({
          method: 'POST',
          path: '/',
          headers: Object.fromEntries(headers),
          body,
        });
        const pieces: Buffer[] = [];
        for await (const piece of response.body) pieces.push(Buffer.from(piece as Buffer));
        const answer = JSON.parse(Buffer.concat(pieces).toString('utf8')) as { __type?: string };
        if (response.statusCode >= 500) throw new Error(`it answers ${JSON.stringify(answer)}`);
        return `${response.statusCode} ${answer.__type ?? Object.keys(answer).join()}`;
      },
      close: () => emulator.stop(),
    };
  },
};

/** The bytes of a connection as they are. */
const connection: FuzzTarget = {
  name: 'emulator-connection',
  words: [
    'GET /v2/ HTTP/1.1\r\n',
    'PUT /v2/team/app/manifests/v1 HTTP/1.1\r\n',
    'POST / HTTP/1.1\r\n',
    'PATCH /v2/team/app/blobs/uploads/00000000-0000-0000-0000-000000000000 HTTP/1.1\r\n',
    'GET /layers/team/app/x?X-Amz-Signature=x HTTP/1.1\r\n',
    'host: x\r\n',
    'content-length: 5\r\n',
    'content-range: 0-4\r\n',
    'transfer-encoding: chunked\r\n',
    'expect: 100-continue\r\n',
    'upgrade: h2c\r\n',
    '5\r\nhello\r\n',
    '0\r\n\r\n',
    '\r\n\r\n',
  ],
  seeds: [],
  open: async () => {
    const emulator = await startEmulator({ verifySignatures: false });
    const { hostname, port } = new URL(emulator.endpoint);
    return {
      run: async (input) => {
        const socket = connect(Number(port), hostname);
        socket.on('error', () => undefined);
        let answer = '';
        socket.on('data', (piece) => {
          if (answer.length < 1000) answer += String(piece);
        });
        const closed = once(socket, 'close');
        socket.end(input);
        await closed;
        const status = /^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 'none';
        if (status.startsWith('5') && status !== '501') throw new Error(`it answers ${status}`);
        return status;
      },
      close: () => emulator.stop(),
    };
  },
};

export const emulatorRequests: readonly FuzzTarget[] = [
  partBody,
  signature,
  route,
  manifest,
  apiRequest,
  connection,
];
