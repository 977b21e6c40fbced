import { describe, expect, test } from 'vitest';
import type { PauseNotice } from '../../src/registry/registry-traffic.ts';
import { RegistrySources, type RegistrySourcesOptions } from '../../src/sync/registry-sources.ts';
import { type FakeRegistry, refuse, startRegistry } from '../registry/fake-registry.ts';
import { type ManualClock, manualClock } from '../registry/manual-clock.ts';
import { quiet } from '../registry/test-surroundings.ts';
import { readImage } from '../source/source-context.ts';

const password = 'a-secret';

interface Rig extends AsyncDisposable {
  readonly registries: readonly FakeRegistry[];
  readonly sources: RegistrySources;
  readonly clock: ManualClock;
  readonly notices: readonly PauseNotice[];
}

async function startRig(
  registryCount: number,
  options: Partial<RegistrySourcesOptions> = {},
): Promise<Rig> {
  const registries = await Promise.all(
    Array.from({ length: registryCount }, () =>
      startRegistry({ auth: 'basic', login: { username: 'me', password } }),
    ),
  );
  const clock = manualClock({ REGISTRY_PASSWORD: password });
  const notices: PauseNotice[] = [];
  const credentials = { username: 'me', passwordEnv: 'REGISTRY_PASSWORD' };
  const sources = new RegistrySources({
    surroundings: clock,
    registries: Object.fromEntries(registries.map(({ host }) => [host, { credentials }])),
    onPause: (notice) => notices.push(notice),
    ...options,
  });
  return {
    registries,
    sources,
    clock,
    notices,
    [Symbol.asyncDispose]: async () => {
      await sources.close();
      for (const registry of registries) await registry[Symbol.asyncDispose]();
    },
  };
}

describe('the limits of source registries', () => {
  test('hold for all repositories of a registry, and for no other registry', async () => {
    await using rig = await startRig(2);
    const { sources, clock, notices } = rig;
    const [slow, quick] = rig.registries;
    if (slow === undefined || quick === undefined) throw new Error('there are two');
    for (const registry of [slow, quick]) {
      registry.putImage('a', 'v1', []);
      registry.putImage('b', 'v1', []);
    }
    slow.answers.push((_request, response) => {
      refuse(response, 429, 'TOOMANYREQUESTS', { 'retry-after': '60' });
    });
    const resolve = (host: string, name: string): Promise<unknown> =>
      sources.named(`${host}/${name}`).resolve('v1', quiet());
    const first = resolve(slow.host, 'a');
    await clock.delaysReach(1);
    const second = resolve(slow.host, 'b');
    await clock.delaysReach(2);
    expect(await resolve(quick.host, 'a')).toBeDefined();
    expect(slow.requests).toHaveLength(1);
    expect(notices).toMatchObject([{ registry: slow.host, resumesInMs: 62_500 }]);
    expect(JSON.stringify(notices)).not.toContain(password);
    clock.advance(62_500);
    expect(await first).toBeDefined();
    expect(await second).toBeDefined();
    expect(sources.usage()).toMatchObject([
      { registry: slow.host, pausedMs: 62_500, requestCount: slow.requests.length },
      { registry: quick.host, pausedMs: 0, requestCount: quick.requests.length },
    ]);
  });

  test('that last longer than is allowed fail, and say so', async () => {
    await using rig = await startRig(1, { pauseMsMax: 1000 });
    const [registry] = rig.registries;
    registry?.answers.push((_request, response) => {
      refuse(response, 429, 'TOOMANYREQUESTS', { 'retry-after': '60' });
    });
    await expect(
      rig.sources.named(`${registry?.host}/a`).resolve('v1', quiet()),
    ).rejects.toMatchObject({
      code: 'E_SOURCE_REGISTRY',
      message: expect.stringContaining('come back in 63 seconds') as string,
    });
    expect(rig.notices).toEqual([]);
  });

  test('do not keep the end of a sync waiting', async () => {
    await using rig = await startRig(1);
    const [registry] = rig.registries;
    registry?.answers.push((_request, response) => {
      refuse(response, 429, 'TOOMANYREQUESTS', { 'retry-after': '60' });
    });
    const resolving = rig.sources
      .named(`${registry?.host}/a`)
      .resolve('v1', quiet())
      .catch((error: unknown) => error);
    await rig.clock.delaysReach(1);
    await rig.sources.close();
    expect(await resolving).toMatchObject({ code: 'E_CLOSED' });
    expect(rig.clock.delayCount()).toBe(0);
  });
});

test('bytes that are read for two images are counted as read twice', async () => {
  await using rig = await startRig(1);
  const [registry] = rig.registries;
  const layer = Buffer.alloc(5000, 'layer');
  const digests = ['a', 'b'].map((name) => registry?.putImage(name, 'v1', [layer]).digest);
  for (const [index, name] of ['a', 'b'].entries()) {
    const repository = rig.sources.named(`${registry?.host}/${name}`);
    await readImage(repository.image(digests[index] ?? 'sha256:', 'v1'));
  }
  const [usage] = rig.sources.usage();
  // Layer and config, twice.
  expect(usage?.blobBytes).toBe(2 * (usage?.duplicateBlobBytes ?? 0));
  expect(usage?.duplicateBlobBytes).toBeGreaterThan(5000);
});
