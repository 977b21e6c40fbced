import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { runProgram } from '../../src/cli/program.ts';
import { LongshoreError } from '../../src/index.ts';
import { DIGEST } from './fake-uploader.ts';
import { layer, setUp } from './layer-setup.ts';

function missing(repository: string): LongshoreError {
  return new LongshoreError('E_REPOSITORY_NOT_FOUND', `repository ${repository} does not exist`, {
    operation: 'InitiateLayerUpload',
    repository,
  });
}

describe('results and exit codes', () => {
  test('a line for each layer goes to standard output, and nothing else', async () => {
    const { context } = setUp({ 'b.tar.gz': 'already-present' });
    expect(await runProgram(context, layer('a.tar.gz', 'b.tar.gz'))).toBe(0);
    expect(context.stdout.lines).toEqual([
      `${DIGEST} 10 uploaded a.tar.gz`,
      `${DIGEST} 10 already-present b.tar.gz`,
    ]);
    expect(context.stderr.text).toContain('2 layers: 1 uploaded, 1 already there; 10 B sent');
  });

  test('with --json each line is a receipt or an error', async () => {
    const { context } = setUp({ bad: missing('team/app') });
    expect(await runProgram(context, layer('good', 'bad', '--json'))).toBe(3);
    const objects = context.stdout.lines.map((line): unknown => JSON.parse(line));
    expect(objects).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          file: 'good',
          digest: DIGEST,
          outcome: 'uploaded',
          partCount: 1,
        }),
        {
          file: 'bad',
          repository: 'team/app',
          error: {
            code: 'E_REPOSITORY_NOT_FOUND',
            message: 'repository team/app does not exist',
            details: { operation: 'InitiateLayerUpload', repository: 'team/app' },
            retryable: false,
            origin: 'registry',
          },
        },
      ]),
    );
  });

  test('one layer that fails does not stop the others', async () => {
    const { context, uploader } = setUp({ bad: missing('team/app') });
    expect(await runProgram(context, layer('bad', 'good'))).toBe(3);
    expect(context.stdout.lines).toEqual([`${DIGEST} 10 uploaded good`]);
    expect(uploader.calls).toEqual(['close']);
  });

  test('when all fail the exit code is 1 and the same error is told once, with a remedy', async () => {
    const { context } = setUp({ a: missing('team/app'), b: missing('team/app') });
    expect(await runProgram(context, layer('a', 'b', '--quiet'))).toBe(1);
    expect(context.stdout.text).toBe('');
    expect(context.stderr.lines).toEqual([
      'longshore: repository team/app does not exist (E_REPOSITORY_NOT_FOUND)',
      '  layers: a, b',
      '  try: create the repository first, or pass --create-repository',
    ]);
  });

  test('--debug and LONGSHORE_DEBUG print stacks, otherwise there is none', async () => {
    const failing = { a: new Error('surprise', { cause: new Error('below') }) };
    const plain = setUp(failing);
    expect(await runProgram(plain.context, layer('a'))).toBe(1);
    expect(plain.context.stderr.text).not.toContain(' at ');
    expect(plain.context.stderr.text).toContain('longshore: surprise (E_UNEXPECTED)');
    const debugged = setUp(failing, { env: { LONGSHORE_DEBUG: '1' } });
    await runProgram(debugged.context, layer('a'));
    expect(debugged.context.stderr.text).toMatch(/ at .*[\s\S]*caused by:[\s\S]*below/);
  });

  test('a file name cannot steer the terminal', async () => {
    const { context } = setUp({ 'a\u001b[2J': missing('x') });
    await runProgram(context, layer('a\u001b[2J', 'b\u001b[2J'));
    expect(context.stderr.text).not.toContain('\u001b[2J');
  });
});

describe('options', () => {
  test('are handed to the library, and what is not given is left to it', async () => {
    const { context, options, uploader } = setUp();
    const words = [
      'a --region eu-central-1 --endpoint-url http://localhost:4566 --part-size 8',
      '--parts-in-flight 3 --layers-in-flight 2 --memory 64MiB --hasher wasm --workers 2',
      '--create-repository --registry-id 123456789012 --no-check --attempts 4',
    ].flatMap((line) => line.split(' '));
    expect(await runProgram(context, layer(...words))).toBe(0);
    expect(options).toEqual([
      {
        region: 'eu-central-1',
        endpoint: 'http://localhost:4566',
        registryId: '123456789012',
        createRepository: true,
        partSizeBytes: 8 * 1024 * 1024,
        partsInFlight: 3,
        layersInFlight: 2,
        bytesInMemoryMax: 64 * 1024 * 1024,
        hasher: 'wasm',
        workersMax: 2,
        attemptsMax: 4,
      },
    ]);
    expect(uploader.requests[0]?.checkFirst).toBe(false);
    const bare = setUp();
    await runProgram(bare.context, layer('a'));
    expect(bare.options).toEqual([{}]);
    expect(bare.uploader.requests[0]?.checkFirst).toBe(true);
  });

  test('--digest is the digest of the one file', async () => {
    const { context, uploader } = setUp();
    expect(await runProgram(context, layer('a', '--digest', DIGEST))).toBe(0);
    expect(uploader.requests[0]?.source.digest).toBe(DIGEST);
  });

  test('- is standard input as a stream', async () => {
    const stdin = Readable.from([]);
    const { context, uploader } = setUp({}, { stdin });
    expect(await runProgram(context, layer('-'))).toBe(0);
    expect(uploader.requests[0]?.source.label).toBe('standard input');
    expect(context.stdout.lines).toEqual([`${DIGEST} 10 uploaded -`]);
    expect(stdin.destroyed).toBe(true);
  });
});

describe('interruption', () => {
  test('the first signal finishes what runs, leaves out what waits and says so', async () => {
    const { context, uploader } = setUp({ a: 'running', b: 'waiting', c: 'waiting' });
    const ended = runProgram(context, layer('a', 'b', 'c', '--json'));
    await until(() => uploader.requests.length === 3);
    context.send('SIGINT');
    expect(context.stderr.text).toContain('finishing 1 under way, 2 left out');
    uploader.finish('a');
    expect(await ended).toBe(130);
    expect(uploader.calls).not.toContain('destroy');
    const codes = context.stdout.lines.map((line) => /"code":"(\w+)"/.exec(line)?.[1] ?? 'done');
    expect(codes.toSorted()).toEqual(['ABORTED', 'ABORTED', 'done']);
    expect(context.signalListeners.size).toBe(0);
  });

  test('the second signal stops what runs', async () => {
    const { context, uploader } = setUp({ a: 'running' });
    const ended = runProgram(context, layer('a'));
    await until(() => uploader.requests.length === 1);
    context.send('SIGINT');
    context.send('SIGTERM');
    expect(await ended).toBe(130);
    expect(uploader.calls).toContain('destroy');
    expect(context.stdout.text).toBe('');
    expect(context.stderr.text).toContain('1 layer: 1 left out');
  });

  test('the first signal ends a stream: what feeds it was interrupted as well', async () => {
    const { context, uploader } = setUp({ 'standard input': 'running' });
    const ended = runProgram(context, layer('-'));
    await until(() => uploader.requests.length === 1);
    context.send('SIGINT');
    expect(await ended).toBe(130);
    expect(context.stdout.text).toBe('');
  });
});

/** Lets what is pending run until `condition` holds. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
