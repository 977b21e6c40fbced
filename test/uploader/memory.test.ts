import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { startEmulator } from '../../src/emulator/index.ts';
import { MIB } from '../../src/limits.ts';
import { runNode } from '../package/child-program.ts';
import type { MemoryPeaks, PushedUpload } from './programs/pushed-upload.ts';
import { makeRepository, REPOSITORY } from './upload-rig.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PROGRAM = fileURLToPath(new URL('programs/pushed-upload.ts', import.meta.url));
const BYTES_IN_MEMORY_MAX = 64 * MIB;
const THREADS = 2;
/** A thread's pieces, strings and sockets while it is busy. */
const THREAD_BYTES = 24 * MIB;
/** The main thread's, with streams, events and what is collected late. */
const MAIN_BYTES = 24 * MIB;

test('bytesInMemoryMax holds, with a slow registry and streams that hear no backpressure', async () => {
  await using emulator = await startedEmulator();
  const task: PushedUpload = {
    layerCount: 6,
    layerBytes: 64 * MIB,
    uploader: {
      endpoint: emulator.endpoint,
      region: emulator.region,
      client: { credentials: emulator.credentials },
      bytesInMemoryMax: BYTES_IN_MEMORY_MAX,
      partSizeBytes: 20 * MIB,
      workersMax: THREADS,
      layersInFlight: 6,
      proxy: 'none',
    },
  };
  const { exitCode, stdout, stderr } = await runNode(
    ['--import', 'tsx', PROGRAM, JSON.stringify(task)],
    { cwd: ROOT },
  );
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  const peaks = JSON.parse(stdout) as MemoryPeaks;
  expect(peaks).toMatchObject({ uploadedCount: 6, bytesHandedOver: 6 * 64 * MIB });
  expect(peaks.sampleCount).toBeGreaterThan(20);
  // Of the cap use is made, else this would prove nothing; and it is never exceeded.
  expect(peaks.bytesInMemory).toBeGreaterThan(BYTES_IN_MEMORY_MAX / 2);
  expect(peaks.bytesInMemory).toBeLessThanOrEqual(BYTES_IN_MEMORY_MAX);
  expect(peaks.rssGrowthBytes).toBeLessThan(
    BYTES_IN_MEMORY_MAX * 1.15 + THREADS * THREAD_BYTES + MAIN_BYTES,
  );
});

async function startedEmulator() {
  const emulator = await startEmulator({
    discard: true,
    network: { serviceTimeMs: { UploadLayerPart: 100 } },
  });
  await makeRepository(emulator, REPOSITORY);
  return { ...pick(emulator), [Symbol.asyncDispose]: () => emulator.stop() };
}

function pick({ endpoint, region, credentials }: Awaited<ReturnType<typeof startEmulator>>) {
  return { endpoint, region, credentials };
}
