/** What ECR, or something that stands between, answers. */

import { Readable } from 'node:stream';
import { CALLS_PER_SECOND_BY_DEFAULT } from '../../../src/ecr/call-quota.ts';
import { EcrCaller } from '../../../src/ecr/ecr-caller.ts';
import { EcrImageRegistry } from '../../../src/ecr/ecr-image-registry.ts';
import { EcrRegistry } from '../../../src/ecr/ecr-registry.ts';
import { RegistryFault } from '../../../src/layer/ports.ts';
import { LongshoreError } from '../../../src/errors.ts';
import { type FuzzTarget, outcomeOf } from '../fuzz-target.ts';
import { type ReplyText, replyTextOf } from './reply-text.ts';

const DIGEST = `sha256:${'ab'.repeat(32)}` as const;
const REPOSITORY = 'team/app';
const signal = new AbortController().signal;
const NO_LIMIT = Object.fromEntries(
  Object.keys(CALLS_PER_SECOND_BY_DEFAULT).map((name) => [name, Number.POSITIVE_INFINITY]),
) as typeof CALLS_PER_SECOND_BY_DEFAULT;

const ecrReply: FuzzTarget = {
  name: 'ecr-reply',
  words: [
    '200\n',
    '400\n',
    '500\n',
    'x-amzn-errortype: ',
    'x-amzn-requestid: r\n',
    'date: Thu, 01 Jan 1970 00:00:00 GMT\n',
    'retry-after: 1\n',
    'content-type: application/x-amz-json-1.1\n',
    '\n\n',
    '{"__type":"InvalidLayerPartException","message":"instead of 5","lastValidByteReceived":4}',
    '{"__type":"constructor"}',
    'LayersNotFoundException',
    '"lastByteReceived":1',
    '"uploadId":"u","partSize":1',
    `"layerDigest":"${DIGEST}"`,
    `{"layers":[{"layerDigest":"${DIGEST}","layerAvailability":"AVAILABLE"}]}`,
    '"images":[{"imageManifest":"{}"}]',
    '"failures":[{"failureCode":"ImageNotFound"}]',
    '"referrers":[]',
    '"nextToken":"n"',
    '<html>',
  ],
  seeds: [],
  open: () => {
    let text: ReplyText = { status: 200, headers: [], body: Buffer.alloc(0) };
    const caller = new EcrCaller({
      client: { region: 'eu-west-1', credentials: { accessKeyId: 'A', secretAccessKey: 'hush' } },
      registryId: undefined,
      callsPerSecondMax: NO_LIMIT,
      requestHandler: {
        handle: () => Promise.resolve({ response: responseOf(text) }),
      },
    });
    const layers = new EcrRegistry(caller, {});
    const images = new EcrImageRegistry(caller, layers, new Map());
    const target = { repository: REPOSITORY, uploadId: 'u' };
    const part = {
      firstByte: 0,
      endByte: 2,
      shared: new SharedArrayBuffer(8),
      bodyLengthBytes: 8,
      tailLengthBytes: 2,
      bodySha256: 'ab'.repeat(32),
    };
    const put = { text: '{}', mediaType: 'application/json', digest: DIGEST, tag: 'v1' };
    const calls = [
      () => layers.hasLayer(REPOSITORY, DIGEST, signal),
      () => layers.initiateUpload(REPOSITORY, signal),
      () => layers.sendPart(target, part, undefined, signal),
      () => layers.completeUpload(target, DIGEST, signal),
      () => images.getImages(REPOSITORY, [{ digest: DIGEST }], signal),
      () => images.putImage(REPOSITORY, put, signal),
      () => images.immutableTags(REPOSITORY, ['v1'], signal),
      () => images.referrers(REPOSITORY, DIGEST, signal),
    ];
    return Promise.resolve({
      run: async (input) => {
        text = replyTextOf(input);
        // One call an input, or each input would take as long as eight.
        const at = input.length % calls.length;
        const outcome = await outcomeOf(async () => calls[at]?.(), isFault);
        return `${at} ${outcome}`;
      },
      close: () => caller.destroy(),
    });
  },
};

function isFault(error: unknown): boolean {
  return error instanceof RegistryFault && LongshoreError.is(error.error);
}

function responseOf({ status, headers, body }: ReplyText) {
  return {
    statusCode: status,
    reason: '',
    headers: Object.fromEntries(headers),
    body: Readable.from([body]),
  };
}

export const ecrReplies: readonly FuzzTarget[] = [ecrReply];
