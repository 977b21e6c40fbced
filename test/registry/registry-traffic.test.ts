import type { IncomingMessage, ServerResponse } from 'node:http';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { OCI_IMAGE } from '../../src/image/media-type.ts';
import { RegistryClient } from '../../src/registry/registry-client.ts';
import { rateNoticeOf } from '../../src/registry/rate-notice.ts';
import {
  type PauseNotice,
  RegistryTraffic,
  type TrafficOptions,
} from '../../src/registry/registry-traffic.ts';
import { RequestPermits } from '../../src/registry/request-permits.ts';
import {
  type FakeOptions,
  type FakeRegistry,
  refuse,
  send,
  startRegistry,
} from './fake-registry.ts';
import { type ManualClock, manualClock } from './manual-clock.ts';
import { quiet } from './test-surroundings.ts';

interface Rig extends AsyncDisposable {
  readonly registry: FakeRegistry;
  readonly client: RegistryClient;
  readonly traffic: RegistryTraffic;
  readonly clock: ManualClock;
  readonly notices: PauseNotice[];
}

const credentials = { username: 'me', password: 'a-secret' };

async function startRig(options: TrafficOptions = {}, fake: FakeOptions = {}): Promise<Rig> {
  const registry = await startRegistry(fake);
  const clock = manualClock();
  const notices: PauseNotice[] = [];
  const onPause = (notice: PauseNotice): void => {
    notices.push(notice);
  };
  const traffic = new RegistryTraffic(registry.host, { onPause, ...options }, clock);
  const clientOptions = { proxy: 'none', credentials, retryDelayMs: 1 } as const;
  const client = new RegistryClient(registry.host, clientOptions, clock, traffic);
  return {
    registry,
    client,
    traffic,
    clock,
    notices,
    [Symbol.asyncDispose]: async () => {
      await client.close();
      await registry[Symbol.asyncDispose]();
    },
  };
}

type Headers = Readonly<Record<string, string>>;

function refusal(status: number, headers: Headers = {}) {
  return (_request: IncomingMessage, response: ServerResponse): void =>
    refuse(response, status, 'TOOMANYREQUESTS', headers);
}

function manifestWith(headers: Headers) {
  return (_request: IncomingMessage, response: ServerResponse): void =>
    send(response, 200, '{}', OCI_IMAGE, headers);
}

/** Answers when it is told to; resolves with that when the request is there. */
function heldAnswer({ answers }: FakeRegistry, headers: Headers = {}): Promise<() => void> {
  return new Promise((resolve) => {
    answers.push((request, response) => {
      resolve(() => manifestWith(headers)(request, response));
    });
  });
}

describe('a registry that wants no more requests', () => {
  test('gets none until it wants some, then one, and then the others', async () => {
    await using rig = await startRig({ requestsInFlight: 4 });
    const { registry, client, clock, notices, traffic } = rig;
    registry.putImage('a', 'v1', []);
    for (let count = 0; count < 4; count += 1) {
      registry.answers.push(refusal(429, { 'retry-after': '30' }));
    }
    const heldLook = heldAnswer(registry);
    const reading = Array.from({ length: 20 }, () => client.getManifest('a', 'v1', quiet()));
    await clock.delaysReach(20);
    expect(registry.requests).toHaveLength(4);
    // A tenth more, five seconds at most, of which the test's chance is the half.
    clock.advance(31_499);
    expect(clock.delayCount()).toBe(20);
    expect(traffic.usage.pausedMs).toBe(31_499);
    clock.advance(1);
    const answer = await heldLook;
    expect(registry.requests).toHaveLength(5);
    answer();
    await Promise.all(reading);
    expect(registry.requests).toHaveLength(24);
    expect(notices).toEqual([
      {
        registry: registry.host,
        resumesInMs: 31_500,
        message: expect.stringContaining('is not asked for 32 seconds') as string,
      },
    ]);
    expect(JSON.stringify(notices)).not.toContain(credentials.password);
    expect(traffic.usage).toMatchObject({ requestCount: 24, pausedMs: 31_500 });
  });

  test('is asked again, by one request, as long as it refuses', async () => {
    await using rig = await startRig();
    const { registry, client, clock } = rig;
    registry.putImage('a', 'v1', []);
    registry.answers.push(refusal(429), refusal(429), refusal(429));
    const reading = [client.getManifest('a', 'v1', quiet())];
    await clock.delaysReach(1);
    reading.push(client.getManifest('a', 'v1', quiet()));
    await clock.delaysReach(2);
    // 1, 2 and 4 seconds, each with a twentieth more.
    clock.advance(1050);
    await clock.delaysReach(2);
    expect(registry.requests).toHaveLength(2);
    clock.advance(2100);
    await clock.delaysReach(2);
    expect(registry.requests).toHaveLength(3);
    clock.advance(4200);
    await Promise.all(reading);
    expect(registry.requests).toHaveLength(5);
    // And begins anew after success.
    registry.answers.push(refusal(429));
    const last = client.getManifest('a', 'v1', quiet());
    await clock.delaysReach(1);
    clock.advance(1050);
    await last;
  });

  test('for longer than is waited for is not waited for, and says when to come back', async () => {
    await using rig = await startRig();
    const { registry, client, clock, notices } = rig;
    registry.putImage('a', 'v1', []);
    registry.answers.push(refusal(429, { 'retry-after': '18000' }));
    for (let count = 0; count < 2; count += 1) {
      const error: unknown = await client.getManifest('a', 'v1', quiet()).catch((e: unknown) => e);
      expect(error).toMatchObject({
        code: 'E_SOURCE_REGISTRY',
        retryable: true,
        message: expect.stringMatching(/answered 429.*; come back in 5(\.1)? hours/) as string,
      });
      expect((error as Error).message).not.toContain(credentials.password);
    }
    expect(registry.requests).toHaveLength(1);
    expect(notices).toEqual([]);
    expect(clock.delayCount()).toBe(0);
    clock.advance(18_002_500);
    await client.getManifest('a', 'v1', quiet());
  });

  test('time and again is waited for no longer than for once', async () => {
    await using rig = await startRig({ pauseMsMax: 60_000 });
    const { registry, client, clock } = rig;
    registry.putImage('a', 'v1', []);
    const refusals = Array.from({ length: 3 }, () => refusal(429, { 'retry-after': '20' }));
    registry.answers.push(...refusals);
    const reading = client.getManifest('a', 'v1', quiet());
    const failing = reading.catch((error: unknown) => error);
    for (let count = 0; count < 2; count += 1) {
      await clock.delaysReach(1);
      clock.advance(21_000);
    }
    expect(await failing).toMatchObject({ code: 'E_SOURCE_REGISTRY' });
    expect(registry.requests).toHaveLength(3);
  });

  test.each(['date', 'service'])('is believed in all ways to say it (%s)', async (way) => {
    await using rig = await startRig();
    const { registry, client, clock } = rig;
    registry.putImage('a', 'v1', []);
    const date = 'Thu, 01 Jan 2026 00:00:00 GMT';
    registry.answers.push(
      way === 'date'
        ? refusal(429, { date, 'retry-after': 'Thu, 01 Jan 2026 00:10:00 GMT' })
        : refusal(503, { 'retry-after': '600' }),
    );
    const reading = client.getManifest('a', 'v1', quiet());
    await clock.delaysReach(1);
    // Jitter is bounded by five seconds.
    clock.advance(602_499);
    expect(clock.delayCount()).toBe(1);
    clock.advance(1);
    await reading;
  });

  test('is left by who is aborted, and looked at by the next', async () => {
    await using rig = await startRig();
    const { registry, client, clock } = rig;
    registry.putImage('a', 'v1', []);
    registry.answers.push(refusal(429, { 'retry-after': '10' }));
    const looked = heldAnswer(registry);
    const abort = new AbortController();
    const reason = new Error('enough');
    const first = client.getManifest('a', 'v1', abort.signal);
    const failing = first.catch((error: unknown) => error);
    await clock.delaysReach(1);
    clock.advance(10_500);
    await looked;
    const second = client.getManifest('a', 'v1', quiet());
    abort.abort(reason);
    expect(await failing).toBe(reason);
    await second;
    expect(clock.delayCount()).toBe(0);
  });
});

describe('a registry that grants so many pulls', () => {
  test('is asked for no manifest when none is left, but looked at', async () => {
    await using rig = await startRig();
    const { registry, client, clock, notices } = rig;
    const put = registry.putImage('a', 'v1', []);
    registry.answers.push(
      manifestWith({ 'ratelimit-limit': '100;w=21600', 'ratelimit-remaining': '0;w=21600' }),
    );
    await client.getManifest('a', 'v1', quiet());
    const reading = client.getManifest('a', 'v1', quiet());
    await clock.delaysReach(1);
    expect(await client.headManifest('a', 'v1', quiet())).toMatchObject({ digest: put.digest });
    expect(registry.requests.map(({ method }) => method)).toEqual(['GET', 'HEAD']);
    expect(notices).toMatchObject([
      {
        resumesInMs: 302_500,
        message: expect.stringContaining(
          'the budget of 100 manifests in 6 hours is used up',
        ) as string,
      },
    ]);
    clock.advance(302_500);
    await reading;
  });

  test('says so to who looks as well', async () => {
    await using rig = await startRig();
    const { registry, client, clock } = rig;
    registry.putImage('a', 'v1', []);
    registry.answers.push(manifestWith({ 'ratelimit-remaining': '0', 'ratelimit-reset': '40' }));
    await client.headManifest('a', 'v1', quiet());
    const reading = client.getManifest('a', 'v1', quiet());
    await clock.delaysReach(1);
    expect(registry.requests).toHaveLength(1);
    clock.advance(42_000);
    await reading;
    expect(registry.requests).toHaveLength(2);
  });

  test('does not let many that wait for it keep others out', async () => {
    await using rig = await startRig({ requestsInFlight: 2 });
    const { registry, client, clock } = rig;
    registry.putImage('a', 'v1', []);
    registry.answers.push(manifestWith({ 'ratelimit-remaining': '0', 'ratelimit-reset': '40' }));
    await client.getManifest('a', 'v1', quiet());
    const reading = Array.from({ length: 10 }, () => client.getManifest('a', 'v1', quiet()));
    await clock.delaysReach(10);
    expect(await client.headManifest('a', 'v1', quiet())).toBeDefined();
    clock.advance(42_000);
    await Promise.all(reading);
  });

  test.each([
    [
      { 'ratelimit-remaining': '7;w=60', 'ratelimit-limit': '100' },
      { limit: 100, remaining: 7, windowMs: 60_000 },
    ],
    [{ 'ratelimit-remaining': '0', 'ratelimit-reset': '1700000000' }, { remaining: 0 }],
    [{ ratelimit: 'limit=10, remaining=0, reset=5' }, { remaining: 0, resetMs: 5000 }],
    [{ ratelimit: '"default";r=50;t=30' }, { remaining: 50, resetMs: 30_000 }],
    [{ 'ratelimit-remaining': 'none', ratelimit: ';;' }, {}],
    [{}, {}],
  ])('says %j', (headers, expected) => {
    const byName = headers as Readonly<Record<string, string>>;
    expect(rateNoticeOf({ header: (name) => byName[name] })).toEqual(expected);
  });
});

describe('requests at once', () => {
  const bytes = Buffer.alloc(2 * 1024 * 1024, 'layer');

  test('wait where one download has the only permit, until nobody reads from it', async () => {
    await using rig = await startRig({ requestsInFlight: 1 });
    const { registry, client, clock, traffic } = rig;
    registry.putImage('a', 'v1', []);
    const layer = registry.putBlob(bytes);
    const blob = await client.openBlob('a', layer, quiet());
    const target = new Uint8Array(bytes.length);
    await blob.read(target.subarray(0, 1000), quiet());
    const reading = client.getManifest('a', 'v1', quiet());
    await clock.delaysReach(1);
    expect(registry.requests).toHaveLength(1);
    clock.advance(1000);
    await reading;
    // It goes on where it was.
    await blob.read(target.subarray(1000), quiet());
    expect(Buffer.compare(target, bytes)).toBe(0);
    blob.close();
    expect(registry.requests.map(({ range }) => range)).toEqual([
      undefined,
      undefined,
      expect.stringMatching(/^bytes=[1-9]/),
    ]);
    expect(traffic.usage).toMatchObject({ blobBytes: bytes.length, duplicateBlobBytes: 0 });
    expect(clock.delayCount()).toBe(0);
  });

  test('have some left for manifests whatever the number of downloads', async () => {
    await using rig = await startRig({ requestsInFlight: 4 });
    const { registry, client, clock } = rig;
    registry.putImage('a', 'v1', []);
    const layer = registry.putBlob(bytes);
    const open = (): ReturnType<typeof client.openBlob> => client.openBlob('a', layer, quiet());
    const blobs = await Promise.all([open(), open(), open()]);
    const fourth = open();
    await clock.delaysReach(1);
    await client.getManifest('a', 'v1', quiet());
    expect(registry.requests.filter(({ url }) => url.includes('/blobs/'))).toHaveLength(3);
    blobs[0]?.close();
    for (const blob of [...blobs, await fourth]) blob.close();
  });

  test('are as many as are allowed at most, and all get their turn', async () => {
    const take = fc.record({
      isDownload: fc.boolean(),
      turns: fc.nat({ max: 5 }),
      isAborted: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 5 }),
        fc.array(take, { maxLength: 30 }),
        async (inFlightMax, takes) => {
          const clock = manualClock();
          const permits = new RequestPermits(inFlightMax, clock);
          const counts = { all: 0, downloads: 0, allMax: 0, downloadsMax: 0 };
          const working = takes.map(async ({ isDownload, turns, isAborted }) => {
            const abort = new AbortController();
            const download = isDownload
              ? { idleSinceMs: undefined, close: () => undefined }
              : undefined;
            const taking = permits.take(download, abort.signal);
            if (isAborted) abort.abort('aborted');
            const giveBack = await taking;
            counts.all += 1;
            if (isDownload) counts.downloads += 1;
            counts.allMax = Math.max(counts.allMax, counts.all);
            counts.downloadsMax = Math.max(counts.downloadsMax, counts.downloads);
            for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
            counts.all -= 1;
            if (isDownload) counts.downloads -= 1;
            giveBack();
            giveBack();
          });
          const results = await Promise.allSettled(working);
          for (const [index, { status }] of results.entries()) {
            expect(status === 'fulfilled' || takes[index]?.isAborted).toBe(true);
          }
          expect(counts.allMax).toBeLessThanOrEqual(inFlightMax);
          expect(counts.downloadsMax).toBeLessThanOrEqual(Math.max(1, inFlightMax - 1));
          expect(clock.delayCount()).toBe(0);
        },
      ),
    );
  });

  test.each([{ requestsInFlight: 0 }, { requestsInFlight: 257 }, { pauseMsMax: -1 }])(
    'are not bounded by %j',
    (options) => {
      expect(() => new RegistryTraffic('docker.io', options, manualClock())).toThrow(
        expect.objectContaining({ code: 'E_OPTION_INVALID' }),
      );
    },
  );
});

describe('what is counted', () => {
  const bytes = Buffer.alloc(300_000, 'layer');

  async function readAll({ client }: Rig, layer: Parameters<RegistryClient['openBlob']>[1]) {
    const blob = await client.openBlob('a', layer, quiet());
    await blob.read(new Uint8Array(layer.sizeBytes), quiet());
    blob.close();
  }

  test('are bytes, and those that were read again', async () => {
    await using rig = await startRig();
    const layer = rig.registry.putBlob(bytes);
    await readAll(rig, layer);
    expect(rig.traffic.usage).toMatchObject({ blobBytes: 300_000, duplicateBlobBytes: 0 });
    await readAll(rig, layer);
    expect(rig.traffic.usage).toMatchObject({ blobBytes: 600_000, duplicateBlobBytes: 300_000 });
    const rest = await rig.client.openBlob('a', layer, quiet(), 299_000);
    expect(await rest.read(new Uint8Array(2000), quiet())).toBe(1000);
    expect(rig.traffic.usage).toMatchObject({ blobBytes: 601_000, duplicateBlobBytes: 301_000 });
  });

  test('is a broken download once, unless the registry begins again', async () => {
    await using rig = await startRig();
    const { registry, clock, traffic } = rig;
    const layer = registry.putBlob(bytes);
    registry.downloads.push({ cutAfterBytes: 100_000 });
    const reading = readAll(rig, layer);
    await clock.delaysReach(1);
    clock.advance(1);
    await reading;
    expect(traffic.usage).toMatchObject({ blobBytes: 300_000, duplicateBlobBytes: 0 });
    registry.downloads.push({ cutAfterBytes: 100_000 }, { ignoresRange: true });
    const again = readAll(rig, registry.putBlob(Buffer.alloc(300_000, 'other')));
    await clock.delaysReach(1);
    clock.advance(1);
    await again;
    const { blobBytes, duplicateBlobBytes } = traffic.usage;
    expect(duplicateBlobBytes).toBeGreaterThan(0);
    expect(blobBytes).toBe(600_000 + duplicateBlobBytes);
  });

  test('are requests for tokens as well', async () => {
    await using rig = await startRig({}, { auth: 'bearer' });
    rig.registry.putImage('a', 'v1', []);
    await rig.client.getManifest('a', 'v1', quiet());
    expect(rig.traffic.usage.requestCount).toBe(rig.registry.requests.length);
    expect(rig.registry.requests).toHaveLength(3);
  });
});
