/** What it costs to make the body of one UploadLayerPart request, and to hand work to a thread. */

import { createHash, randomFillSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Piscina } from 'piscina';
import { cleanUpAtExit } from '../harness/cleanup.ts';
import { encodeInPieces } from '../micro/base64-piece.ts';
import type { MicroTask } from '../micro/micro-bench.ts';
import { runMicroBench } from '../micro/micro-bench.ts';
import type { Scenario, ScenarioContext, Section } from '../scenario.ts';

const KIB = 1024;
const PART_SIZE_BYTES: number = 10 * KIB * KIB;
const PIECE_SIZES_KIB = [24, 48, 192, 768];
/** A 20 MiB part on the wire. */
const BODY_SIZE_BYTES = 28_000_000;
/** What the thread runs; written to a file because a loader would be part of the time. */
const THREAD = `
import { createRequire } from 'node:module';
const { move } = createRequire(${JSON.stringify(import.meta.url)})('piscina');
export const swallow = () => undefined;
export const giveBack = (bytes) => move(bytes);
`;
const FUSED_PIECE_SIZES_KIB = [24, 48, 192];

async function* run(context: ScenarioContext): AsyncGenerator<Section> {
  const part = randomFillSync(Buffer.allocUnsafe(PART_SIZE_BYTES));
  const body = Buffer.alloc(Math.ceil(PART_SIZE_BYTES / 3) * 4);
  yield await runMicroBench('Base64 of a 10 MiB part', encodeTasks(part, body), context, [
    'pieces are written into one reused buffer; JSON.stringify and the whole string make new ones',
  ]);
  yield await runMicroBench(
    'Base64 of a 10 MiB part and SHA-256 of the body',
    fusedTasks(part, body),
    context,
  );
  yield await measureRoundTrip(context);
}

function encodeTasks(part: Buffer, body: Buffer): MicroTask[] {
  const sizeBytes = part.length;
  return [
    {
      name: 'JSON.stringify with the base64 string inside',
      sizeBytes,
      work: () => Buffer.from(JSON.stringify({ layerPartBlob: part.toString('base64') })),
    },
    {
      name: 'whole string, then into the reused buffer',
      sizeBytes,
      work: () => body.write(part.toString('base64'), 'latin1'),
    },
    ...PIECE_SIZES_KIB.map((kib) => ({
      name: `pieces of ${kib} KiB`,
      sizeBytes,
      work: () => encodeInPieces(part, body, kib * KIB),
    })),
  ];
}

function fusedTasks(part: Buffer, body: Buffer): MicroTask[] {
  const sizeBytes = part.length;
  return [
    {
      name: 'encode all in pieces of 48 KiB, then hash all',
      sizeBytes,
      work: () => {
        encodeInPieces(part, body, 48 * KIB);
        return createHash('sha256').update(body).digest('hex');
      },
    },
    ...FUSED_PIECE_SIZES_KIB.map((kib) => ({
      name: `each piece of ${kib} KiB encoded and hashed at once`,
      sizeBytes,
      work: () => {
        const hash = createHash('sha256');
        encodeInPieces(part, body, kib * KIB, (piece) => hash.update(piece));
        return hash.digest('hex');
      },
    })),
    {
      name: 'for scale: SHA-256 of the body alone',
      sizeBytes,
      work: () => createHash('sha256').update(body).digest('hex'),
    },
  ];
}

async function measureRoundTrip(context: ScenarioContext): Promise<Section> {
  const folder = mkdtempSync(join(tmpdir(), 'longshore-bench-'));
  const remove = cleanUpAtExit(() => rmSync(folder, { recursive: true, force: true }));
  const filename = join(folder, 'thread.mjs');
  writeFileSync(filename, THREAD);
  const pool = new Piscina({ filename, minThreads: 1, maxThreads: 1, idleTimeout: 60_000 });
  let travelling = new Uint8Array(BODY_SIZE_BYTES);
  const staying = new Uint8Array(BODY_SIZE_BYTES);
  try {
    return await runMicroBench(
      'To a thread and back through piscina',
      [
        { name: 'a small object', work: () => pool.run({ partIndex: 1 }, { name: 'swallow' }) },
        {
          name: '28 MB transferred, and back',
          work: async () => {
            const transferList = [travelling.buffer];
            travelling = await pool.run(travelling, { name: 'giveBack', transferList });
          },
        },
        { name: '28 MB cloned, one way', work: () => pool.run(staying, { name: 'swallow' }) },
      ],
      context,
    );
  } finally {
    await pool.destroy();
    remove();
  }
}

export const encodeScenario: Scenario = {
  name: 'encode',
  summary: 'base64, JSON and body hash of a part; a round trip to a thread',
  byDefault: true,
  run,
};
