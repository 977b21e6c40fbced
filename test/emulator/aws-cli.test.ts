import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startEmulator } from '../../src/emulator/index.ts';
import type { Emulator } from '../../src/emulator/index.ts';
import { MIB, REPOSITORY, digestOf, manifestOf } from './fixture.ts';

// The AWS CLI signs, serializes and reads answers with code that nobody here wrote.
const version = spawnSync('aws', ['--version'], { encoding: 'utf8' });
const hasCli = version.status === 0;
if (!hasCli) {
  process.stderr.write(
    '\n*** SKIPPED: no `aws` command on PATH, so the emulator was not judged by the AWS CLI. ***\n\n',
  );
}

interface CliResult {
  readonly output: Record<string, unknown>;
  /** The error code the CLI prints, or an empty string. */
  readonly exception: string;
}

function aws(emulator: Emulator, command: string, ...options: string[]): Promise<CliResult> {
  const { AWS_ENDPOINT_URL_ECR: _, ...variables } = emulator.environment();
  const env = {
    PATH: process.env['PATH'],
    HOME: tmpdir(),
    ...variables,
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_PAGER: '',
    AWS_MAX_ATTEMPTS: '1',
  };
  const fixed = ['--endpoint-url', emulator.endpoint, '--output', 'json'];
  const args = ['ecr', command, ...fixed, ...options];
  return new Promise((resolve) => {
    execFile('aws', args, { env, maxBuffer: 8 * MIB }, (_error, stdout, stderr) => {
      const exception = /An error occurred \((\w+)\)/.exec(stderr)?.[1] ?? '';
      const isJson = stdout.trim().startsWith('{');
      const output = isJson ? (JSON.parse(stdout) as Record<string, unknown>) : { stderr };
      resolve({ output, exception });
    });
  });
}

test.skipIf(!hasCli)(
  'a layer lives its whole life through the AWS CLI',
  { timeout: 60_000 },
  async () => {
    await using emulator = await startEmulator();
    const folder = await mkdtemp(join(tmpdir(), 'emulator-cli-'));
    const repository = ['--repository-name', REPOSITORY];
    const bytes = randomBytes(5 * MIB + 1000);
    const digest = digestOf(bytes);
    const manifest = manifestOf(digest, [digest]);
    await writeFile(join(folder, 'head'), bytes.subarray(0, 5 * MIB));
    await writeFile(join(folder, 'tail'), bytes.subarray(5 * MIB));
    await writeFile(join(folder, 'manifest'), manifest);
    const part = (
      uploadId: string,
      name: string,
      first: number,
      last: number,
    ): Promise<CliResult> =>
      aws(
        emulator,
        'upload-layer-part',
        ...repository,
        '--upload-id',
        uploadId,
        '--part-first-byte',
        String(first),
        '--part-last-byte',
        String(last),
        '--layer-part-blob',
        `fileb://${join(folder, name)}`,
      );
    const complete = (uploadId: string): Promise<CliResult> =>
      aws(
        emulator,
        'complete-layer-upload',
        ...repository,
        '--upload-id',
        uploadId,
        '--layer-digests',
        digest,
      );
    try {
      const [created, missing] = await Promise.all([
        aws(emulator, 'create-repository', ...repository),
        aws(emulator, 'initiate-layer-upload', '--repository-name', 'no/such'),
      ]);
      expect(created.output).toMatchObject({ repository: { repositoryName: REPOSITORY } });
      expect(missing.exception).toBe('RepositoryNotFoundException');

      const started = await aws(emulator, 'initiate-layer-upload', ...repository);
      expect(started.output).toMatchObject({ partSize: 10 * MIB });
      const uploadId = String(started.output['uploadId']);
      const [early, empty] = await Promise.all([
        part(uploadId, 'tail', 5 * MIB, bytes.length - 1),
        complete(uploadId),
      ]);
      expect(early.exception).toBe('InvalidLayerPartException');
      expect(empty.exception).toBe('EmptyUploadException');

      const sent = await part(uploadId, 'head', 0, 5 * MIB - 1);
      expect(sent.output).toMatchObject({ uploadId, lastByteReceived: 5 * MIB - 1 });
      await part(uploadId, 'tail', 5 * MIB, bytes.length - 1);
      const completed = await complete(uploadId);
      expect(completed.output).toMatchObject({ layerDigest: digest });
      expect(Buffer.from(await emulator.readLayer(REPOSITORY, digest)).equals(bytes)).toBe(true);

      const download = [
        'get-download-url-for-layer',
        ...repository,
        '--layer-digest',
        digest,
      ] as const;
      const [lost, inaccessible, check] = await Promise.all([
        complete(uploadId),
        aws(emulator, ...download),
        aws(emulator, 'batch-check-layer-availability', ...repository, '--layer-digests', digest),
      ]);
      expect(lost.exception).toBe('UploadNotFoundException');
      expect(inaccessible.exception).toBe('LayerInaccessibleException');
      expect(check.output).toMatchObject({ layers: [{ layerAvailability: 'AVAILABLE' }] });

      const put = [
        'put-image',
        ...repository,
        '--image-tag',
        'v1',
        '--image-manifest',
        `file://${join(folder, 'manifest')}`,
      ] as const;
      const pushed = await aws(emulator, ...put);
      expect(pushed.output).toMatchObject({
        image: { imageId: { imageDigest: digestOf(manifest) } },
      });

      const [again, got, described, url] = await Promise.all([
        aws(emulator, ...put),
        aws(emulator, 'batch-get-image', ...repository, '--image-ids', 'imageTag=v1'),
        aws(emulator, 'describe-images', ...repository),
        aws(emulator, ...download),
      ]);
      expect(again.exception).toBe('ImageAlreadyExistsException');
      expect(got.output).toMatchObject({ images: [{ imageManifest: manifest }], failures: [] });
      expect(described.output).toMatchObject({ imageDetails: [{ imageTags: ['v1'] }] });
      const response = await fetch(String(url.output['downloadUrl']));
      expect(Buffer.from(await response.arrayBuffer()).equals(bytes)).toBe(true);
    } finally {
      await rm(folder, { recursive: true });
    }
  },
);
