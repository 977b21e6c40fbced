import { describe, expect, test } from 'vitest';
import { runProgram } from '../../src/cli/program.ts';
import { LongshoreError } from '../../src/index.ts';
import { fakeContext } from './fake-context.ts';
import { layer, setUp } from './layer-setup.ts';

describe('with --json an error that ends everything is one JSON object', () => {
  test.each([
    ['no command', ['--json']],
    ['an unknown option', layer('a', '--fast', '--json')],
    ['a missing argument', ['layer', '--json', '-r', 'team/app']],
    ['a value without meaning', layer('a', '--part-size', 'big', '--json')],
    ['what only all options show', layer('-', '-', '--json')],
    ['a push of nothing', ['push', '--json']],
    ['a push to nowhere', ['push', 'oci:out', 'Team/App', '--json']],
    ['an emulator that cannot be', ['emulator', '--json', '--tls-key', 'key.pem']],
  ])('wrong usage: %s', async (_name, words) => {
    const { context, options } = setUp();
    expect(await runProgram(context, words)).toBe(2);
    expect(context.stdout.lines).toHaveLength(1);
    const { error } = JSON.parse(context.stdout.text) as { error: Record<string, unknown> };
    expect(error).toMatchObject({ code: 'E_USAGE', retryable: false, origin: 'caller' });
    expect(error['message']).toMatch(/^(?!error:)[^\n]{5,}$/);
    expect(context.stderr.text).not.toBe('');
    expect(options).toEqual([]);
  });

  test('what the library refuses keeps its code', async () => {
    const details = { option: 'region', expected: 'a region', received: 'an empty text' };
    const refusal = new LongshoreError('E_OPTION_INVALID', 'region: expected a region', details);
    const context = fakeContext({ createUploader: () => Promise.reject(refusal) });
    expect(await runProgram(context, layer('a', '--json'))).toBe(2);
    expect(JSON.parse(context.stdout.text)).toMatchObject({
      error: { code: 'E_OPTION_INVALID', details },
    });
  });

  test('a port in use is a failure of the command', async () => {
    const inUse = Object.assign(new Error('in use'), { code: 'EADDRINUSE' });
    const context = fakeContext({ startEmulator: () => Promise.reject(inUse) });
    expect(await runProgram(context, ['emulator', '--json'])).toBe(1);
    expect(JSON.parse(context.stdout.text)).toMatchObject({ error: { code: 'E_COMMAND' } });
  });

  test('a --json behind -- is a file name', async () => {
    const { context } = setUp({}, {});
    expect(await runProgram(context, ['layer', '-r', 'a/b', '--fast', '--', '--json'])).toBe(2);
    expect(context.stdout.text).toBe('');
  });
});
