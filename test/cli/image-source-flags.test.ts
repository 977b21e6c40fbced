import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runProgram } from '../../src/cli/program.ts';
import { DIGEST } from './fake-uploader.ts';
import { blobsOf, digestOf, planOf, receiptOf } from './image-sample.ts';
import { ECR_CREDENTIALS, type ImageSetup, setUpImage } from './image-setup.ts';

let directory: string;
let archive: string;
let pem: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'longshore-cli-'));
  archive = join(directory, 'app.tar');
  pem = join(directory, 'ca.pem');
  writeFileSync(archive, 'x');
  writeFileSync(pem, 'certificates');
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function pushing(overrides: Parameters<typeof setUpImage>[1] = {}): ImageSetup {
  const pushImage = () => Promise.resolve(receiptOf(planOf(blobsOf(2, 1))));
  return setUpImage({ pushImage }, overrides);
}

async function sourcesOf(...words: readonly string[]): Promise<(readonly unknown[])[]> {
  const { context, sources } = pushing({ stdin: Readable.from(['secret\n']) });
  expect(await runProgram(context, ['push', ...words, 'team/app'])).toBe(0);
  return sources;
}

describe('SOURCE becomes the image source that it names', () => {
  test('what exists is looked at', async () => {
    expect(await sourcesOf(archive)).toEqual([['localImage', archive, {}]]);
    const words = [archive, '--reference', 'app:1', '--image-digest', DIGEST];
    expect(await sourcesOf(...words)).toEqual([
      ['localImage', archive, { reference: 'app:1', digest: DIGEST }],
    ]);
  });

  test.each([
    ['oci:out', ['ociLayoutImage', 'out', {}]],
    ['oci:out:v1', ['ociLayoutImage', 'out', { reference: 'v1' }]],
    ['oci-archive:a.tar', ['archiveImage', 'a.tar', { format: 'oci' }]],
    ['docker-archive:a:b', ['archiveImage', 'a', { format: 'docker', reference: 'b' }]],
    ['docker://alpine:3', ['registryImage', 'alpine:3', { credentials: ECR_CREDENTIALS }]],
    ['alpine:3', ['registryImage', 'alpine:3', { credentials: ECR_CREDENTIALS }]],
  ])('%s', async (word, source) => {
    expect(await sourcesOf(word)).toEqual([source]);
  });

  test('- is standard input, which is given up in the end', async () => {
    const stdin = Readable.from([]);
    const { context, sources } = pushing({ stdin });
    expect(await runProgram(context, ['push', '-', 'team/app'])).toBe(0);
    const options = { format: 'auto', label: 'standard input' };
    expect(sources).toEqual([['archiveImage', stdin, options]]);
    expect(stdin.destroyed).toBe(true);
  });

  test('a registry may be reached in its own way, the password never on the command line', async () => {
    const reach = ['--source-plain-http', '--source-ca-file', pem];
    expect(await sourcesOf('docker://host/app', ...login(), ...reach)).toEqual([
      [
        'registryImage',
        'host/app',
        {
          plainHttp: true,
          certificateAuthorities: 'certificates',
          credentials: { username: 'me', password: 'secret' },
        },
      ],
    ]);
  });
});

describe('an image in pieces', () => {
  test('is a manifest and where its blobs are; a file by itself goes before a folder', async () => {
    const blobs = join(directory, 'blobs');
    mkdirSync(join(blobs, 'sha256'), { recursive: true });
    const hexOf = (index: number): string => digestOf(index).slice('sha256:'.length);
    writeFileSync(join(blobs, hexOf(1)), '');
    writeFileSync(join(blobs, 'sha256', hexOf(2)), '');
    writeFileSync(join(blobs, 'README'), '');
    const single = ['--blob', `${digestOf(1)}=other`, '--blob', `${digestOf(3)}=a=b`];
    expect(await sourcesOf('--manifest', 'm.json', '--blob-directory', blobs, ...single)).toEqual([
      [
        'manifestImage',
        {
          manifest: 'm.json',
          blobs: {
            [digestOf(1)]: 'other',
            [digestOf(2)]: join(blobs, 'sha256', hexOf(2)),
            [digestOf(3)]: 'a=b',
          },
        },
      ],
    ]);
  });
});

describe('wrong usage ends with 2 before anything is started', () => {
  test.each([
    ['nothing at all', [], 'SOURCE and REPOSITORY are missing'],
    ['no repository', ['oci:out'], 'REPOSITORY is missing'],
    ['no source', ['--manifest', 'm', 'oci:out', 'a/b'], '--manifest tells the image'],
    ['a source that is nothing', ['build/none', 'a/b'], 'no such file or folder'],
    ['a reference twice', ['oci:out:v1', 'a/b', '--reference', 'v2'], 'but SOURCE says v1'],
    ['a choice within a registry', ['alpine:3', 'a/b', '--reference', 'x'], 'belongs to an OCI'],
    ['blobs without manifest', ['oci:out', 'a/b', '--blob', `${DIGEST}=x`], 'to --manifest'],
    ['a blob twice', ['a/b', '--manifest', 'm', ...twice('--blob', `${DIGEST}=x`)], 'given twice'],
    ['a blob without path', ['a/b', '--manifest', 'm', '--blob', DIGEST], 'DIGEST=PATH'],
    ['a folder that is missing', ['a/b', '--manifest', 'm', '--blob-directory', '/no'], '/no'],
    ['a login for a file', ['oci:out', 'a/b', '--source-plain-http'], 'a registry as SOURCE'],
    ['a user without password', ['alpine:3', 'a/b', '--source-username', 'me'], 'together'],
    ['a password that is empty', ['alpine:3', 'a/b', ...login()], 'standard input is empty'],
    ['a platform without machine', ['oci:out', 'a/b', '--platform', 'linux'], 'linux/amd64'],
    ['a level too high', ['oci:out', 'a/b', '--compression-level', '12'], 'gzip is 1 to 9'],
    ['a digest to push to', ['oci:out', `a/b@${DIGEST}`], 'tells its digest'],
    ['a tag that is none', ['oci:out', 'a/b', '--tag', 'a/b'], 'is no tag'],
    ['a tag in REPOSITORY that is none', ['oci:out', 'a/b:-x'], 'is no tag'],
  ])('%s', async (_name, words, message) => {
    const { context, options } = pushing();
    expect(await runProgram(context, ['push', ...words])).toBe(2);
    expect(context.stderr.text).toContain(message);
    expect(context.stdout.text).toBe('');
    expect(options).toEqual([]);
  });

  test('a file where a password should be', async () => {
    const { context } = pushing({ stdin: Readable.from([Buffer.alloc(70_000, 'x')]) });
    expect(await runProgram(context, ['push', 'alpine:3', 'a/b', ...login()])).toBe(2);
    expect(context.stderr.text).toContain('too long for a password');
  });

  test.each([['-'], ['docker-archive:-']])('a terminal as %s', async (word) => {
    const { context } = pushing({ stdinIsTerminal: true });
    expect(await runProgram(context, ['push', word, 'a/b'])).toBe(2);
    expect(context.stderr.text).toContain('pipe the archive into it');
  });
});

function twice(flag: string, value: string): string[] {
  return [flag, value, flag, value];
}

function login(): string[] {
  return ['--source-username', 'me', '--source-password-stdin'];
}
