import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Contestant } from '../../bench/harness/contestant-run.ts';
import { runContestant } from '../../bench/harness/contestant-run.ts';
import { LayerFiles } from '../../bench/harness/layer-files.ts';
import { compilePrograms } from '../../bench/harness/program.ts';
import { Server } from '../../bench/harness/server-process.ts';

const MIB = 2 ** 20;
const CONTESTANTS: readonly Contestant[] = [
  { name: 'plain SDK', program: 'plain-sdk' },
  { name: 'longshore', program: 'longshore', options: { workersMax: 1 } },
  { name: 'bare writer', program: 'bare-writer', sendsOtherBytes: true },
];

test('every contestant sends a small layer over TLS, measures itself and ends', async () => {
  const programs = await compilePrograms();
  try {
    await using files = new LayerFiles();
    await using server = await Server.start(programs.files.server, { tls: true });
    const layer = await files.createRandom(6 * MIB);
    const task = { layers: [layer], partSizeBytes: 5 * MIB, layersInFlight: 1 };
    const runs = await Promise.all(
      CONTESTANTS.map((contestant) =>
        runContestant(contestant, programs.files[contestant.program], task, server),
      ),
    );
    for (const run of runs) {
      expect(run).toMatchObject({ layerBytes: layer.sizeBytes, endedByItself: true });
      expect(run.wallMs).toBeGreaterThan(0);
      expect(run.cpuUserMs).toBeGreaterThan(0);
      expect(run.rssPeakBytes).toBeGreaterThan(20 * MIB);
      expect(run.loopDelayP99Ms).toBeGreaterThanOrEqual(run.loopDelayP50Ms);
    }
  } finally {
    programs.remove();
  }
  expect(existsSync(programs.files.server)).toBe(false);
});
