import { describe, expect, test } from 'vitest';
import { runProgram } from '../../src/cli/program.ts';
import { LongshoreError } from '../../src/index.ts';
import { resolveUploaderOptions } from '../../src/uploader/uploader-options.ts';
import { imagesInFlightOf } from '../../src/sync/sync-options.ts';
import { fakeContext } from './fake-context.ts';
import { DIGEST } from './fake-uploader.ts';
import { layer, setUp } from './layer-setup.ts';

describe('wrong usage ends with 2 before anything is started', () => {
  test.each([
    ['no file', ['layer', '-r', 'team/app'], 'missing required argument'],
    ['no repository', ['layer', 'a'], '--repository'],
    ['an unknown option', layer('a', '--fast'), 'unknown option'],
    ['an unknown command', ['upload', 'a'], 'unknown command'],
    ['no command', [], 'Usage: longshore'],
    ['a part size without meaning', layer('a', '--part-size', 'big'), '20MiB'],
    ['no parts in flight', layer('a', '--parts-in-flight', '0'), 'from 1 to 64'],
    ['a digest for two files', layer('a', 'b', '--digest', DIGEST), '--digest'],
    ['a malformed digest', layer('a', '--digest', 'sha256:AB'), '64 lower-case'],
    ['an endpoint without scheme', layer('a', '--endpoint-url', 'localhost'), 'https://'],
    ['standard input twice', layer('-', '-'), 'only once'],
    ['a certificate file that is missing', layer('a', '--ca-file', '/missing'), '--ca-file'],
    ['a hasher nobody knows', layer('a', '--hasher', 'md5'), 'Allowed choices'],
  ])('%s', async (_name, words, message) => {
    const { context, options } = setUp();
    expect(await runProgram(context, words)).toBe(2);
    expect(context.stderr.text).toContain(message);
    expect(context.stdout.text).toBe('');
    expect(options).toEqual([]);
  });

  test('a terminal as standard input', async () => {
    const { context } = setUp({}, { stdinIsTerminal: true });
    expect(await runProgram(context, layer('-'))).toBe(2);
    expect(context.stderr.text).toContain('pipe the layer into it');
  });

  test('a part size out of its range, in the unit of the flag', async () => {
    const context = fakeContext({});
    expect(await runProgram(context, layer('a', '--part-size', '3'))).toBe(2);
    expect(context.stderr.text).toContain('Expected 5 to 20 MiB');
  });

  test('what the library refuses, named as the flag is', async () => {
    const refusal = new LongshoreError(
      'E_OPTION_INVALID',
      'partSizeBytes: expected 5 MiB or more',
      {
        option: 'partSizeBytes',
        expected: '5 MiB or more',
        received: '1',
      },
    );
    const context = fakeContext({ createUploader: () => Promise.reject(refusal) });
    expect(await runProgram(context, layer('a', '--part-size', '6'))).toBe(2);
    expect(context.stderr.text).toContain('option: --part-size');
  });
});

describe('help', () => {
  test.each([
    [['--help']],
    [['push', '--help']],
    [['sync', '--help']],
    [['verify', '--help']],
    [['layer', '--help']],
    [['emulator', '--help']],
    [['--version']],
  ])('%j goes to standard output, fits 80 columns and exits with 0', async (words) => {
    const context = fakeContext();
    expect(await runProgram(context, words)).toBe(0);
    expect(context.stderr.text).toBe('');
    expect(context.stdout.lines.length).toBeGreaterThan(0);
    expect(context.stdout.lines.filter((line) => line.length > 80)).toEqual([]);
  });
});

test('the defaults that the help tells are those of the library', async () => {
  const context = fakeContext();
  context.stdout.columns = 200;
  await runProgram(context, ['layer', '--help']);
  const defaults = resolveUploaderOptions({});
  const told = (flag: string): string | undefined =>
    new RegExp(`--${flag} <.*\\(default: (\\d+)\\)`).exec(context.stdout.text)?.[1];
  expect(told('memory')).toBe(String(defaults.bytesInMemoryMax / 1024 ** 2));
  expect(told('parts-in-flight')).toBe(String(defaults.partsInFlight));
  expect(told('parts-in-flight-total')).toBe(String(defaults.partsInFlightTotal));
  expect(told('layers-in-flight')).toBe(String(defaults.layersInFlight));
  expect(told('source-timeout')).toBe(String(defaults.sourceTimeoutMs / 1000));
  expect(told('attempts')).toBe(String(defaults.attemptsMax));
});

test('so are those of a sync', async () => {
  const context = fakeContext();
  context.stdout.columns = 200;
  await runProgram(context, ['sync', '--help']);
  const told = (flag: string): string | undefined =>
    new RegExp(`--${flag} <.*\\(default: (\\d+)\\)`).exec(context.stdout.text)?.[1];
  expect(told('images-in-flight')).toBe(String(imagesInFlightOf({})));
  expect(told('memory')).toBe(String(resolveUploaderOptions({}).bytesInMemoryMax / 1024 ** 2));
});
