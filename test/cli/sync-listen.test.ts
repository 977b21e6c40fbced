import { describe, expect, test } from 'vitest';
import { runProgram } from '../../src/cli/program.ts';
import { until } from './image-setup.ts';
import { completed, failedTag, PAUSE, progressOf, reportOf, reportTag } from './sync-sample.ts';
import { aborted, type SyncSetup, setUpSync, type SyncScript } from './sync-setup.ts';

const PASSWORD = 'hush-password';
const FAILED = failedTag('1.24');

interface Listening extends SyncSetup {
  readonly ended: Promise<number>;
  readonly url: string;
}

async function listen(
  script: SyncScript,
  more: readonly string[] = [],
  now: () => number = () => 0,
): Promise<Listening> {
  const env = { REGISTRY_PASSWORD: PASSWORD, AWS_SECRET_ACCESS_KEY: PASSWORD };
  const setup = setUpSync(script, {}, { env, now });
  const words = ['sync', 'm.yaml', '--watch', '1h', '--listen', '0', ...more];
  const ended = runProgram(setup.context, words);
  const found = (): string | undefined =>
    /\/healthz and \/metrics at (\S+)/.exec(setup.context.stderr.text)?.[1];
  await until(() => found() !== undefined);
  return { ...setup, ended, url: found() ?? '' };
}

/** The run goes on until the test lets it end. */
function held(): { readonly script: SyncScript; readonly release: (script: SyncScript) => void } {
  let open = (_script: SyncScript): void => undefined;
  const opened = new Promise<SyncScript>((resolve) => {
    open = resolve;
  });
  return {
    script: async function* run(options, runNumber) {
      yield progressOf({ uploadedBytes: 1000 });
      yield completed(FAILED);
      yield PAUSE;
      const script = await opened;
      return yield* script(options, runNumber);
    },
    release: (script) => open(script),
  };
}

// oxlint-disable-next-line require-await, require-yield -- there is nothing to tell
const done: SyncScript = async function* run() {
  return reportOf('done', [reportTag('1.25', 'copied')]);
};
// oxlint-disable-next-line require-await, require-yield -- there is nothing to tell
const partial: SyncScript = async function* run() {
  return reportOf('partial', [reportTag('1.25', 'copied'), FAILED]);
};

async function healthOf(url: string): Promise<[number, Record<string, unknown>]> {
  const reply = await fetch(`${url}/healthz`);
  return [reply.status, (await reply.json()) as Record<string, unknown>];
}

describe('--listen', () => {
  test('is healthy while the first run is under way, and shows how far it is', async () => {
    const { script, release } = held();
    const { context, ended, url } = await listen(script);
    await until(() => context.stderr.text.includes('pauses for'));
    expect(await healthOf(url)).toEqual([
      200,
      { status: 'ok', running: true, runCount: 1, lastRun: null },
    ]);
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toContain('longshore_sync_uploaded_bytes_total 1000');
    expect(metrics).toContain('longshore_sync_tags_total{status="failed"} 1');
    expect(metrics).toContain('longshore_sync_images_in_flight 4');
    release(done);
    await until(() => context.stderr.text.includes('next run in'));
    context.send('SIGINT');
    expect(await ended).toBe(0);
  });

  test.each([
    { outcome: 'done', script: done, expected: 200, status: 'ok', failed: 0 },
    { outcome: 'partial', script: partial, expected: 503, status: 'failing', failed: 1 },
  ])('answers $expected after a run that is $outcome', async (given) => {
    let nowMs = 0;
    const script: SyncScript = (options, runNumber) => {
      nowMs += 2500;
      return given.script(options, runNumber);
    };
    const { context, ended, url } = await listen(script, [], () => nowMs);
    await until(() => context.stderr.text.includes('next run in'));
    nowMs += 90_000;
    const lastRun = {
      outcome: given.outcome,
      counts: { copied: 1, skipped: 0, failed: given.failed, 'not-started': 0 },
      durationSeconds: 2.5,
      ageSeconds: 90,
    };
    expect(await healthOf(url)).toEqual([
      given.expected,
      { status: given.status, running: false, runCount: 1, lastRun },
    ]);
    context.send('SIGINT');
    expect(await ended).toBe(0);
    await expect(fetch(`${url}/healthz`)).rejects.toThrow('fetch failed');
  });

  test('names the code of a run that ended without a report', async () => {
    const { context, ended, url } = await listen(() => {
      throw new Error('a defect');
    });
    await until(() => context.stderr.text.includes('next run in'));
    const [status, body] = await healthOf(url);
    expect(status).toBe(503);
    expect(body).toMatchObject({ lastRun: { outcome: 'failed', code: 'E_UNEXPECTED' } });
    context.send('SIGINT');
    await ended;
  });

  test('is closed when a signal interrupts the run', async () => {
    const { ended, context, url } = await listen(async function* run({ drainSignal }) {
      yield progressOf();
      await aborted(drainSignal);
      return reportOf('interrupted', []);
    });
    context.send('SIGINT');
    expect(await ended).toBe(130);
    await expect(fetch(`${url}/metrics`)).rejects.toThrow('fetch failed');
  });

  test('an address in use is a failure of the command', async () => {
    const first = await listen(done);
    const second = setUpSync(done);
    const words = ['sync', 'm.yaml', '--watch', '1h', '--listen', new URL(first.url).host];
    expect(await runProgram(second.context, [...words, '--json'])).toBe(1);
    expect(JSON.parse(second.context.stdout.text)).toMatchObject({ error: { code: 'E_COMMAND' } });
    expect(second.runCount()).toBe(0);
    first.context.send('SIGINT');
    await first.ended;
  });

  test('says nothing of what is in the environment', async () => {
    const { script, release } = held();
    const { context, ended, given, url } = await listen(script, ['--json', '--debug']);
    release(partial);
    await until(() => context.stderr.text.includes('next run in'));
    const pages = await Promise.all(
      ['/healthz', '/metrics', '/'].map(async (path) => (await fetch(`${url}${path}`)).text()),
    );
    context.send('SIGINT');
    await ended;
    // The library is given them; nobody else is.
    expect(given[0]?.environment).toMatchObject({ REGISTRY_PASSWORD: PASSWORD });
    const said = [...pages, context.stdout.text, context.stderr.text].join('\n');
    expect(said).not.toContain('hush');
  });
});
