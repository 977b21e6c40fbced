import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { PacedLine } from '../../src/emulator/network-model.ts';
import { MIB, clientOf, expectException, sendPart, startUpload, withEmulator } from './fixture.ts';

// The pace is of wire bytes and base64 makes four of three. Bounds are coarse: the machine is busy.
function wireMs(sizeBytes: number, bytesPerSecond: number): number {
  return ((sizeBytes * 4) / 3 / bytesPerSecond) * 1000;
}

async function timed(task: () => Promise<unknown>): Promise<number> {
  const startedAtMs = performance.now();
  await task();
  return performance.now() - startedAtMs;
}

test.each([5e6, 20e6])('one connection moves %d bytes a second', (bytesPerSecond) =>
  withEmulator({ network: { bytesPerSecondPerConnection: bytesPerSecond } }, async (_, client) => {
    const bytes = randomBytes(2 * MIB);
    const uploadId = await startUpload(client);
    const tookMs = await timed(() => sendPart(client, uploadId, 0, bytes));
    const expectedMs = wireMs(bytes.length, bytesPerSecond);
    expect(tookMs).toBeGreaterThan(expectedMs * 0.95);
    expect(tookMs).toBeLessThan(expectedMs * 2 + 500);
  }),
);

test('connections share the total', () =>
  withEmulator({ network: { bytesPerSecondTotal: 20e6 } }, async (emulator, client) => {
    const bytes = randomBytes(MIB);
    const uploads = await Promise.all([startUpload(client), startUpload(client)]);
    const tookMs = await timed(() =>
      Promise.all(uploads.map((uploadId) => sendPart(client, uploadId, 0, bytes))),
    );
    expect(tookMs).toBeGreaterThan(wireMs(2 * bytes.length, 20e6) * 0.95);
    expect(emulator.journal.maximumConcurrency('UploadLayerPart')).toBe(2);
  }));

test('a request costs one round trip and its service time, a new connection one more', () =>
  withEmulator(
    { network: { roundTripMs: 60, serviceTimeMs: { UploadLayerPart: 90 } } },
    async (emulator, client) => {
      const warmMs = await timed(() => startUpload(client));
      expect(warmMs).toBeGreaterThan(58);
      expect(warmMs).toBeLessThan(500);
      const uploadId = await startUpload(client);
      const partMs = await timed(() => sendPart(client, uploadId, 0, randomBytes(1000)));
      expect(partMs).toBeGreaterThan(148);
      expect(partMs).toBeLessThan(700);
      const fresh = clientOf(emulator);
      expect(await timed(() => startUpload(fresh))).toBeGreaterThan(118);
      fresh.destroy();
    },
  ));

test('a part that is whole while its predecessor is being served comes too early', () =>
  withEmulator({ network: { serviceTimeMs: { UploadLayerPart: 150 } } }, async (_, client) => {
    const uploadId = await startUpload(client);
    const first = sendPart(client, uploadId, 0, randomBytes(10));
    const second = sendPart(client, uploadId, 10, randomBytes(10));
    await expectException(second, {
      message: 'First byte of the layer part is 10 instead of 0',
    });
    expect(await first).toBe(9);
  }));

test('a line keeps its average although its timers are late', () => {
  const line = new PacedLine(1_000_000, 0);
  let nowMs = 0;
  for (let index = 0; index < 1000; index += 1) {
    // 1,000 bytes are a millisecond; every wake-up is 0.7 ms late.
    nowMs = Math.max(nowMs, line.pass(1000, nowMs)) + (index % 2 === 0 ? 0.7 : 0);
  }
  expect(nowMs).toBeGreaterThan(999);
  expect(nowMs).toBeLessThan(1002);
});

test('an idle line saves up a few milliseconds at most', () => {
  const line = new PacedLine(1000, 0);
  expect(line.pass(1000, 10_000)).toBeGreaterThan(10_970);
});
