import { appendFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fileSource, randomAccessSource, streamSource } from '../../src/index.ts';
import type { LayerSource } from '../../src/index.ts';
import { randomFrom } from '../journal/killable-program.ts';
import { temporaryFolder } from '../package/temporary-folder.ts';
import { expectEachSeed, isLasting } from './campaign.ts';
import { attempt } from './drive.ts';
import type { Ending, LocalFault, Random } from './fault.ts';
import { FaultRig, PATIENT } from './fault-rig.ts';
import { picked, type PooledLayer } from './layer-pool.ts';
import { FILE_CHANGED, FILE_GONE, READ_ERROR } from './local-faults.ts';

const CELL_MS_MAX = 60_000;

const folder = temporaryFolder();
let rig: FaultRig;
beforeAll(async () => {
  rig = await FaultRig.start();
});
afterAll(async () => {
  await rig[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

/** Uploads with every seed: it ends as is expected, and nothing is completed. */
function sourceCell(
  fault: LocalFault,
  run: (
    layer: PooledLayer,
    random: Random,
    seed: number,
  ) => {
    readonly source: LayerSource;
    readonly checkFirst?: boolean;
    readonly onEvent?: (event: { readonly type: string }) => void;
  },
): void {
  test(
    `at the source: ${fault.name}`,
    () =>
      expectEachSeed(fault.name, async (seed) => {
        const random = randomFrom(seed);
        const repository = `source/${Math.floor(random() * 2 ** 40)}`;
        await rig.makeRepository(repository);
        const uploader = rig.uploader({ ...PATIENT, variation: seed });
        const { onEvent, ...request } = run(rig.layers.any(random), random, seed);
        const attempted = await attempt(
          uploader.uploadLayer(
            { repository, ...request },
            onEvent === undefined ? {} : { onEvent },
          ),
        );
        const expected: Ending = isLasting(seed) ? fault.lasting : fault.passing;
        expect(attempted.ending).toBe(expected);
        expect(rig.emulator.layers(repository)).toEqual([]);
        await rig.dropRepository(repository);
      }),
    CELL_MS_MAX,
  );
}

describe('at the source', () => {
  sourceCell(READ_ERROR, ({ bytes }, random) => {
    const failsAt = Math.floor(random() * bytes.length);
    const failure = Object.assign(new Error('i/o error, read'), { code: 'EIO' });
    if (random() < 0.5) {
      return {
        source: randomAccessSource({
          sizeBytes: bytes.length,
          read: (offset, length) =>
            failsAt < offset + length
              ? Promise.reject(failure)
              : Promise.resolve(bytes.subarray(offset, offset + length)),
        }),
      };
    }
    return {
      source: streamSource(
        Readable.from(
          (function* torn() {
            yield bytes.subarray(0, failsAt);
            throw failure;
          })(),
        ),
      ),
    };
  });

  const CHANGES: readonly ((path: string, bytes: Buffer) => void)[] = [
    (path) => appendFileSync(path, 'more'),
    (path, bytes) => truncateSync(path, bytes.length - 1),
    (path, bytes) => writeFileSync(path, Buffer.alloc(bytes.length, 7)),
    (path, bytes) => {
      rmSync(path);
      writeFileSync(path, bytes);
    },
  ];

  for (const [fault, changes] of [
    [FILE_CHANGED, CHANGES],
    [FILE_GONE, [(path: string) => rmSync(path)]],
  ] as const) {
    sourceCell(fault, ({ bytes }, random, seed) => {
      const path = join(folder.path, `${seed}.tar`);
      writeFileSync(path, bytes);
      const moment = picked(['layer-hashed', 'upload-initiated'] as const, random);
      const change = picked(changes, random);
      let isDone = false;
      return {
        source: fileSource(path),
        checkFirst: moment === 'layer-hashed',
        onEvent: ({ type }) => {
          if (type !== moment || isDone) return;
          isDone = true;
          change(path, bytes);
        },
      };
    });
  }
});
