import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { type Emulator, type EmulatorOptions, startEmulator } from '../../src/emulator/index.ts';
import { runProgram } from '../../src/cli/program.ts';
import { type FakeContext, fakeContext } from './fake-context.ts';

function withEmulator(overrides: Partial<FakeContext> = {}): {
  readonly context: FakeContext;
  readonly started: Promise<Emulator>;
  readonly options: EmulatorOptions[];
} {
  const options: EmulatorOptions[] = [];
  let announce = (_emulator: Emulator): void => undefined;
  const started = new Promise<Emulator>((resolve) => {
    announce = resolve;
  });
  const context = fakeContext({
    startEmulator: async (given) => {
      options.push(given);
      const emulator = await startEmulator(given);
      announce(emulator);
      return emulator;
    },
    ...overrides,
  });
  return { context, started, options };
}

/** The settings are printed right after the start. */
async function ready(context: FakeContext): Promise<void> {
  while (!context.stdoutClosed()) await new Promise((resolve) => setImmediate(resolve));
}

describe('what it prints', () => {
  test('lines that a shell can evaluate, closed so that `eval` does not wait', async () => {
    const { context } = withEmulator();
    const ended = runProgram(context, ['emulator']);
    await ready(context);
    expect(context.stdout.text).toMatch(
      /^export AWS_ENDPOINT_URL_ECR='http:\/\/127\.0\.0\.1:\d+'\nexport AWS_REGION='us-east-1'\n/,
    );
    expect(context.stdout.text).toContain("export LONGSHORE_EMULATOR_PID='4711'\n");
    expect(context.stderr.text).toContain('layers are kept in memory, until Ctrl-C');
    context.send('SIGINT');
    expect(await ended).toBe(0);
  });

  test('with --json one line', async () => {
    const { context, started } = withEmulator();
    const ended = runProgram(context, ['emulator', '--json', '--quiet']);
    await ready(context);
    const emulator = await started;
    expect(context.stdout.lines).toHaveLength(1);
    expect(JSON.parse(context.stdout.text)).toEqual({
      endpoint: emulator.endpoint,
      registryHost: emulator.registryHost,
      region: 'us-east-1',
      registryId: '123456789012',
      accessKeyId: emulator.credentials.accessKeyId,
      secretAccessKey: emulator.credentials.secretAccessKey,
    });
    expect(context.stderr.text).toBe('');
    context.send('SIGTERM');
    expect(await ended).toBe(0);
  });
});

test('it ends when standard input closes, if asked to', async () => {
  const stdin = new PassThrough();
  const { context } = withEmulator({ stdin });
  const ended = runProgram(context, ['emulator', '--until-stdin-closes']);
  await ready(context);
  stdin.end();
  expect(await ended).toBe(0);
  expect(context.signalListeners.size).toBe(0);
});

test('its flags are handed to the emulator', async () => {
  const { context, options } = withEmulator();
  const words = ['--round-trip', '40', '--bandwidth', '50', '--quotas', '--service-time', '200'];
  const more = ['--part-size-max', '10', '--region', 'eu-west-1', '--discard'];
  const ended = runProgram(context, ['emulator', ...words, ...more]);
  await ready(context);
  context.send('SIGINT');
  await ended;
  expect(options).toEqual([
    {
      region: 'eu-west-1',
      partSizeMaxBytes: 10 * 1024 * 1024,
      quotas: 'ecr',
      discard: true,
      network: {
        roundTripMs: 40,
        serviceTimeMs: { UploadLayerPart: 200 },
        bytesPerSecondTotal: 50_000_000,
      },
    },
  ]);
});

describe('what it refuses', () => {
  test('a key without a certificate, and data that nobody keeps', async () => {
    for (const words of [
      ['--tls-key', 'key.pem'],
      ['--discard', '--data', 'registry'],
      ['--port', '70000'],
    ]) {
      const { context, options } = withEmulator();
      expect(await runProgram(context, ['emulator', ...words])).toBe(2);
      expect(options).toEqual([]);
    }
  });

  test('a port that is in use, with a remedy', async () => {
    await using first = await startEmulator();
    const port = new URL(first.endpoint).port;
    const { context } = withEmulator();
    expect(await runProgram(context, ['emulator', '--port', port])).toBe(1);
    expect(context.stderr.text).toBe(
      `longshore: 127.0.0.1:${port} is in use; choose another --port, or 0 for any free one\n`,
    );
  });
});
