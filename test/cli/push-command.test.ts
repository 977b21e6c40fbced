import { describe, expect, test } from 'vitest';
import type { ImageRequest, ImageSource } from '../../src/index.ts';
import { LongshoreError } from '../../src/index.ts';
import { runProgram } from '../../src/cli/program.ts';
import { blobsOf, digestOf, planOf, receiptOf, ROOT } from './image-sample.ts';
import { type ImageSetup, setUpImage } from './image-setup.ts';

const PLAN = planOf(blobsOf(13, 4), {
  tags: [
    { tag: '1.0', action: 'new', previousDigest: undefined },
    { tag: 'latest', action: 'moved', previousDigest: digestOf(7) },
  ],
});

function pushing(requests: ImageRequest[] = []): ImageSetup {
  return setUpImage({
    pushImage: (request) => {
      requests.push(request);
      return Promise.resolve(receiptOf(PLAN));
    },
    planImage: (request) => {
      requests.push(request);
      return Promise.resolve(PLAN);
    },
  });
}

function failing(failure: Error): ImageSetup {
  return setUpImage({ pushImage: () => Promise.reject(failure) });
}

const IMMUTABLE = new LongshoreError('E_TAG_IMMUTABLE', 'tag 1.0 cannot be moved; use another', {
  repository: 'team/app',
  tag: '1.0',
  digest: ROOT,
  existingDigest: undefined,
});

describe('a push', () => {
  test('prints one line for machines and the sums for people', async () => {
    const { context, uploader } = pushing();
    expect(await runProgram(context, ['push', 'oci:out', 'team/app:1.0'])).toBe(0);
    expect(context.stdout.text).toBe(`team/app@${ROOT} pushed 1.0 latest\n`);
    expect(context.stderr.lines).toEqual([
      `tag latest moved from ${digestOf(7)}`,
      '12 layers: 4 uploaded, 8 already there; 4.00 MB sent, 9.00 MB skipped; 5 calls in 4.2 s',
    ]);
    expect(uploader.calls).toEqual(['close']);
  });

  test('with --json prints the receipt, with --quiet nothing for people', async () => {
    const { context } = pushing();
    const words = ['push', 'oci:out', 'team/app', '--json', '--quiet'];
    expect(await runProgram(context, words)).toBe(0);
    expect(context.stdout.lines).toHaveLength(1);
    expect(JSON.parse(context.stdout.text)).toEqual(JSON.parse(JSON.stringify(receiptOf(PLAN))));
    expect(context.stderr.text).toBe('');
  });

  test('that fails ends with 1 and tells why', async () => {
    const { context } = failing(IMMUTABLE);
    expect(await runProgram(context, ['push', 'oci:out', 'team/app:1.0', '--json'])).toBe(1);
    expect(JSON.parse(context.stdout.text)).toMatchObject({
      error: { code: 'E_TAG_IMMUTABLE', details: { tag: '1.0' } },
    });
    expect(context.stderr.text).toContain('tag 1.0 cannot be moved; use another (E_TAG_IMMUTABLE)');
  });

  test('that is refused for what was asked ends with 2', async () => {
    const details = { option: 'tags', expected: 'a tag', received: 'x' };
    const { context } = failing(new LongshoreError('E_OPTION_INVALID', 'tags: expected', details));
    expect(await runProgram(context, ['push', 'oci:out', 'team/app'])).toBe(2);
  });

  test('lists the choices of an error one a line', async () => {
    const choices = ['app:1', 'app:2'];
    const { context } = failing(
      new LongshoreError('E_IMAGE_AMBIGUOUS', 'out has 2 images; it has:\n  app:1\n  app:2', {
        source: 'out',
        choices,
      }),
    );
    expect(await runProgram(context, ['push', 'oci:out', 'team/app'])).toBe(1);
    expect(context.stderr.lines.slice(-3)).toEqual([
      'longshore: out has 2 images; it has: (E_IMAGE_AMBIGUOUS)',
      '  app:1',
      '  app:2',
    ]);
  });
});

describe('what is asked for', () => {
  const image = expect.objectContaining({ label: 'ociLayoutImage' }) as ImageSource;

  test('reaches the library, and what is not given is left to it', async () => {
    const requests: ImageRequest[] = [];
    const { context, options } = pushing(requests);
    await runProgram(context, ['push', 'oci:out', 'team/app']);
    const words =
      'push oci:out team/app:1 --tag 2 --tag 1 --platform linux/amd64 --platform linux/arm64/v8 ' +
      '--referrers --compression zstd --compression-level 12 --part-size 8 --memory 64 --workers 2';
    await runProgram(context, words.split(' '));
    expect(requests).toEqual([
      { repository: 'team/app', image, tags: [] },
      {
        repository: 'team/app',
        image,
        tags: ['1', '2'],
        platforms: ['linux/amd64', 'linux/arm64/v8'],
        referrers: true,
        compression: { kind: 'zstd', level: 12 },
      },
    ]);
    const sizes = { partSizeBytes: 8 * 1024 ** 2, bytesInMemoryMax: 64 * 1024 ** 2 };
    expect(options).toEqual([{}, { ...sizes, workersMax: 2 }]);
  });

  test('the host of a registry tells account and region', async () => {
    const requests: ImageRequest[] = [];
    const { context, options } = pushing(requests);
    const host = '123456789012.dkr.ecr.eu-central-1.amazonaws.com';
    await runProgram(context, ['push', 'oci:out', `${host}/team/app:1`]);
    expect(options).toEqual([{ region: 'eu-central-1', registryId: '123456789012' }]);
    expect(requests).toMatchObject([{ repository: 'team/app', tags: ['1'] }]);
    const words = ['push', 'oci:out', `${host}/team/app:1`, '--region', 'us-east-1'];
    expect(await runProgram(context, words)).toBe(2);
  });

  test('settings of a new repository', async () => {
    const { context, options } = pushing();
    const words =
      'push oci:out team/app --create-repository --immutable-tags --scan-on-push ' +
      '--kms-key alias/k --repository-tag team=a=b';
    await runProgram(context, words.split(' '));
    await runProgram(context, ['push', 'oci:out', 'team/app', '--create-repository']);
    expect(options).toEqual([
      {
        createRepository: {
          imageTagMutability: 'IMMUTABLE',
          imageScanningConfiguration: { scanOnPush: true },
          encryptionConfiguration: { encryptionType: 'KMS', kmsKey: 'alias/k' },
          tags: [{ Key: 'team', Value: 'a=b' }],
        },
      },
      { createRepository: true },
    ]);
  });

  test.each([
    ['--immutable-tags', 'need --create-repository'],
    ['--create-repository --encryption aes256 --kms-key k', 'kms or kms-dsse'],
    ['--create-repository --repository-tag team', 'KEY=VALUE'],
  ])('%s is refused', async (flags, message) => {
    const { context } = pushing();
    const words = ['push', 'oci:out', 'team/app', ...flags.split(' ')];
    expect(await runProgram(context, words)).toBe(2);
    expect(context.stderr.text).toContain(message);
  });
});

describe('--dry-run', () => {
  test('tells of each layer, manifest and tag what would happen and why', async () => {
    const { context } = pushing();
    expect(await runProgram(context, ['push', 'oci:out', 'team/app', '--dry-run'])).toBe(0);
    const { lines } = context.stdout;
    expect(lines[0]).toBe(`team/app@${ROOT}`);
    expect(lines).toEqual(
      expect.arrayContaining([
        '000000000003  1.00 MB  upload  ECR does not have it',
        '000000000004  1.00 MB  skip    ECR has it',
        '00000000000c  1.00 MB  skip    config; ECR has it',
        '00000000feed  1.23 kB  put     what the tags point to',
        '1.0     new',
        'latest  moves from 000000000007',
        '13 blobs: 4 to upload, 4.00 MB; 9 to skip, 9.00 MB',
        '5 calls beside the look-ups:',
        '  UploadLayerPart 3',
      ]),
    );
    expect(lines.slice(1).filter((line) => line.length > 80)).toEqual([]);
    expect(context.stderr.text).toBe('dry run: nothing was pushed\n');
  });

  test('with --json prints the plan', async () => {
    const { context } = pushing();
    await runProgram(context, ['push', 'oci:out', 'team/app', '--dry-run', '--json']);
    expect(JSON.parse(context.stdout.text)).toEqual(JSON.parse(JSON.stringify(PLAN)));
  });

  test('says so when there is nothing to do', async () => {
    const [manifest] = PLAN.manifests;
    const idle = planOf(blobsOf(2, 0), {
      tags: [{ tag: '1.0', action: 'unchanged', previousDigest: undefined }],
      manifests: manifest === undefined ? [] : [{ ...manifest, action: 'skip' }],
    });
    const { context } = setUpImage({ planImage: () => Promise.resolve(idle) });
    expect(await runProgram(context, ['push', 'oci:out', 'team/app', '--dry-run'])).toBe(0);
    expect(context.stderr.text).toBe('dry run: there is nothing to push\n');
  });
});
