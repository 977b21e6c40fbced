import { createHash, randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { AuthorizationTokens } from '../../src/emulator/authorization-token.ts';
import { ApiCalls } from '../../src/emulator/distribution/api-calls.ts';
import { LayerIntake } from '../../src/emulator/distribution/layer-intake.ts';
import { EcrService } from '../../src/emulator/ecr-service.ts';
import { resolveEmulatorOptions } from '../../src/emulator/emulator-options.ts';
import { FaultPlan } from '../../src/emulator/fault-plan.ts';
import { RequestJournal } from '../../src/emulator/journal.ts';
import { MemoryStore } from '../../src/emulator/memory-store.ts';
import { NetworkModel } from '../../src/emulator/network-model.ts';
import { PendingWaits } from '../../src/emulator/pending-waits.ts';
import { RegistryState } from '../../src/emulator/registry-state.ts';
import { MIB } from './fixture.ts';

interface Intake {
  readonly service: EcrService;
  readonly intake: LayerIntake;
  readonly uploadId: string;
}

async function begin(): Promise<Intake> {
  const options = resolveEmulatorOptions({});
  const registry = new RegistryState(options.registryId, new MemoryStore(), 1e9);
  const service = new EcrService({
    options,
    registry,
    journal: new RequestJournal(),
    faults: new FaultPlan(Math.random),
    network: new NetworkModel({}, Math.random, 0),
    waits: new PendingWaits(),
    tokens: new AuthorizationTokens('secret', options.registryId),
    downloadUrl: () => '',
  });
  const repositoryName = 'app';
  await registry.createRepository({
    repositoryName,
    createdAtMs: 0,
    imageTagMutability: 'MUTABLE',
    scanOnPush: false,
    encryptionConfiguration: { encryptionType: 'AES256' },
  });
  const { uploadId } = (await registry.startUpload({ repositoryName }, service.now())).identity;
  const head = { method: 'PATCH', target: '/v2/', headers: {}, connectionId: 1 };
  const calls = new ApiCalls(service, head);
  const intake = new LayerIntake(service, calls, { repositoryName, uploadId, firstByte: 0 });
  return { service, intake, uploadId };
}

test('a sender who pauses when asked to fills one part and a little at a time', async () => {
  const { intake, service, uploadId } = await begin();
  const hash = createHash('sha256');
  let heldMaxBytes = 0;
  let pauseCount = 0;
  for (let sentBytes = 0; sentBytes < 64 * MIB;) {
    const chunk = randomBytes(777_777);
    hash.update(chunk);
    sentBytes += chunk.length;
    const work = intake.write(chunk);
    heldMaxBytes = Math.max(heldMaxBytes, service.staging.heldBytes);
    if (work !== undefined) pauseCount += 1;
    await work;
  }
  await intake.end();
  expect(pauseCount).toBeGreaterThanOrEqual(5);
  // A part, the least that may follow it, one chunk, and what slabs are larger than their content.
  expect(heldMaxBytes).toBeLessThanOrEqual(10 * MIB + 5 * MIB + 777_777 + 2 * MIB);
  expect(service.staging.heldBytes).toBe(0);
  const digest = await service.registry.store.digestUpload(uploadId);
  expect(digest).toBe(`sha256:${hash.digest('hex')}`);
});

test('pieces that come in spite of the pause lose nothing', async () => {
  const { intake, service, uploadId } = await begin();
  const bytes = randomBytes(33 * MIB);
  for (let at = 0; at < bytes.length; at += 65_536) {
    void intake.write(bytes.subarray(at, at + 65_536));
  }
  await intake.end();
  expect(service.registry.uploads.get(uploadId)?.nextByte).toBe(bytes.length);
  const digest = await service.registry.store.digestUpload(uploadId);
  expect(digest).toBe(`sha256:${createHash('sha256').update(bytes).digest('hex')}`);
  expect(service.staging.heldBytes).toBe(0);
});

test('single bytes cost no slab each', async () => {
  const { intake, service } = await begin();
  for (let count = 0; count < 10_000; count += 1) void intake.write(Buffer.from([count % 256]));
  expect(service.staging.heldBytes).toBeLessThanOrEqual(16_384);
  await intake.end();
  expect(service.staging.heldBytes).toBe(0);
});
