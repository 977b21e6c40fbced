import { randomBytes } from 'node:crypto';
import type { ECR } from '@aws-sdk/client-ecr';
import { expect, test } from 'vitest';
import { REPOSITORY, manifestOf, pushLayer, withEmulator } from './fixture.ts';

const bytes = randomBytes(100_000);

async function downloadUrl(client: ECR): Promise<string> {
  const layerDigest = await pushLayer(client, bytes);
  const imageManifest = manifestOf(layerDigest, [layerDigest]);
  await client.putImage({ repositoryName: REPOSITORY, imageManifest });
  const reply = await client.getDownloadUrlForLayer({ repositoryName: REPOSITORY, layerDigest });
  return reply.downloadUrl ?? '';
}

async function get(
  url: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ readonly status: number; readonly body: Buffer; readonly headers: Headers }> {
  const response = await fetch(url, { headers });
  const body = Buffer.from(await response.arrayBuffer());
  return { status: response.status, body, headers: response.headers };
}

test('the URL gives the layer, from another host name', () =>
  withEmulator({}, async (emulator, client) => {
    const url = await downloadUrl(client);
    expect(new URL(url).hostname).not.toBe(new URL(emulator.endpoint).hostname);
    const reply = await get(url);
    expect(reply.status).toBe(200);
    expect(reply.body.equals(bytes)).toBe(true);
    const head = await fetch(url, { method: 'HEAD' });
    expect(head.headers.get('content-length')).toBe(String(bytes.length));
  }));

test.each([
  ['bytes=0-9', 206, 0, 10, 'bytes 0-9/100000'],
  ['bytes=99990-', 206, 99_990, 100_000, 'bytes 99990-99999/100000'],
  ['bytes=99990-200000', 206, 99_990, 100_000, 'bytes 99990-99999/100000'],
  ['bytes=-5', 206, 99_995, 100_000, 'bytes 99995-99999/100000'],
  ['bytes=9-5', 200, 0, 100_000, null],
  ['lines=1-2', 200, 0, 100_000, null],
])('range %s is answered with %i', (range, status, firstByte, endByte, contentRange) =>
  withEmulator({}, async (_, client) => {
    const reply = await get(await downloadUrl(client), { range });
    expect(reply.status).toBe(status);
    expect(reply.headers.get('content-range')).toBe(contentRange);
    expect(reply.body.equals(bytes.subarray(firstByte, endByte))).toBe(true);
  }),
);

test('a range behind the end cannot be satisfied', () =>
  withEmulator({}, async (_, client) => {
    const reply = await get(await downloadUrl(client), { range: 'bytes=100000-' });
    expect(reply.status).toBe(416);
    expect(reply.headers.get('content-range')).toBe('bytes */100000');
  }));

test('credentials sent along, other signatures and old URLs are refused', async () => {
  let nowMs = Date.now();
  await withEmulator({ clock: () => nowMs }, async (_, client) => {
    const url = await downloadUrl(client);
    expect((await get(url, { authorization: 'Basic QVdTOg==' })).status).toBe(400);
    expect((await get(url.replace('/layers/team', '/layers/tea'))).status).toBe(403);
    expect((await get(url.replace(/Expires-At=\d/, 'Expires-At=9'))).status).toBe(403);
    expect((await fetch(url, { method: 'PUT', body: 'x' })).status).toBe(405);
    nowMs += 3_600_001;
    expect((await get(url)).status).toBe(403);
  });
});
