import { describe, expect, test } from 'vitest';
import type { ImageVerification, VerificationRequest } from '../../src/index.ts';
import { LongshoreError } from '../../src/index.ts';
import { runProgram } from '../../src/cli/program.ts';
import { DIGEST } from './fake-uploader.ts';
import { digestOf, ROOT } from './image-sample.ts';
import { setUpImage } from './image-setup.ts';

const FOUND: ImageVerification = {
  repository: 'team/app',
  reference: '1.0',
  digest: ROOT,
  mediaType: 'application/vnd.oci.image.manifest.v1+json',
  manifests: [{ digest: ROOT, sizeBytes: 1234, platform: undefined }],
  blobs: [
    { digest: digestOf(0), sizeBytes: 5_000_000, outcome: 'verified' },
    { digest: digestOf(1), sizeBytes: 5_000_000, outcome: 'foreign' },
  ],
  verifiedBytes: 5_000_000,
  comparedWithSource: false,
  durationMs: 1000,
};

function verifying(found: Partial<ImageVerification> = {}) {
  const requests: VerificationRequest[] = [];
  const setup = setUpImage({
    verifyImage: (request, call = {}) => {
      requests.push(request);
      call.onEvent?.({ type: 'verification-started', blobCount: 1, sizeBytes: 5_000_000 });
      return Promise.resolve({ ...FOUND, ...found });
    },
  });
  return { ...setup, requests };
}

describe('an image that is as it should be', () => {
  test('is told of in one line', async () => {
    const { context, requests } = verifying();
    expect(await runProgram(context, ['verify', 'team/app:1.0'])).toBe(0);
    expect(requests).toEqual([{ repository: 'team/app', reference: '1.0' }]);
    expect(context.stdout.text).toBe(`team/app@${ROOT} verified 1.0\n`);
    expect(context.stderr.lines).toEqual([
      '1 blob to read, 5.00 MB',
      '1 blob and 1 manifest, 5.00 MB read in 1.0 s, 5.00 MB/s; 1 left with their vendor, not read',
    ]);
  });

  test('is compared with a source in the form of the push', async () => {
    const { context, requests } = verifying({ comparedWithSource: true });
    const words = ['verify', `team/app@${DIGEST}`, 'oci:out', '--platform', 'linux/amd64'];
    expect(await runProgram(context, [...words, '--compression', 'zstd'])).toBe(0);
    expect(requests).toMatchObject([
      {
        reference: DIGEST,
        image: { label: 'ociLayoutImage' },
        platforms: ['linux/amd64'],
        compression: { kind: 'zstd' },
      },
    ]);
    expect(context.stdout.text).toBe(`team/app@${ROOT} verified\n`);
    expect(context.stderr.text).toContain('digests as in the source');
  });

  test('with --json is one object', async () => {
    const { context } = verifying();
    expect(await runProgram(context, ['verify', 'team/app:1.0', '--json', '-q'])).toBe(0);
    expect(JSON.parse(context.stdout.text)).toEqual(JSON.parse(JSON.stringify(FOUND)));
    expect(context.stderr.text).toBe('');
  });
});

describe('an image that is not', () => {
  const problems = [`${DIGEST}: 5 bytes are missing`, `${DIGEST}: another digest`];
  const list = problems.map((problem) => `\n  ${problem}`).join('');
  const failure = new LongshoreError(
    'E_VERIFICATION_FAILED',
    `team/app 1.0 is not as it should be; push it again:${list}`,
    { repository: 'team/app', image: '1.0', problems },
  );
  const failing = () => setUpImage({ verifyImage: () => Promise.reject(failure) });

  test('ends with 1 and a line for each finding', async () => {
    const { context } = failing();
    expect(await runProgram(context, ['verify', 'team/app:1.0'])).toBe(1);
    expect(context.stdout.lines).toEqual(problems);
    expect(context.stderr.lines).toEqual([
      'longshore: team/app 1.0 is not as it should be; push it again (E_VERIFICATION_FAILED)',
    ]);
  });

  test('with --json has them in the details', async () => {
    const { context } = failing();
    expect(await runProgram(context, ['verify', 'team/app:1.0', '--json'])).toBe(1);
    expect(context.stdout.lines).toHaveLength(1);
    expect(JSON.parse(context.stdout.text)).toMatchObject({ error: { details: { problems } } });
  });
});

test('a signal ends a verification at once', async () => {
  const { context } = setUpImage({
    verifyImage: (_request, call = {}) =>
      new Promise((_resolve, reject) => {
        call.signal?.addEventListener('abort', () => reject(call.signal?.reason));
        queueMicrotask(() => context.send('SIGINT'));
      }),
  });
  expect(await runProgram(context, ['verify', 'team/app:1.0'])).toBe(130);
  expect(context.stdout.text).toBe('');
  expect(context.stderr.text).toBe('interrupted: the image is not verified\n');
});

test.each([
  ['no reference', ['team/app'], 'REPOSITORY:TAG or REPOSITORY@DIGEST'],
  ['two references', [`team/app:1@${DIGEST}`], 'REPOSITORY:TAG or REPOSITORY@DIGEST'],
  ['nothing', [], 'missing required argument'],
  ['a choice without source', ['team/app:1', '--platform', 'linux/amd64'], 'belongs to SOURCE'],
])('wrong usage: %s', async (_name, words, message) => {
  const { context, options } = verifying();
  expect(await runProgram(context, ['verify', ...words])).toBe(2);
  expect(context.stderr.text).toContain(message);
  expect(options).toEqual([]);
});
