import { readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import type { EmulatorOptions } from '../../src/emulator/index.ts';
import {
  bytesSource,
  createUploader,
  fileSource,
  randomAccessSource,
  streamSource,
} from '../../src/index.ts';
import type { LayerEvent, LayerReceipt, LayerSource, UploaderOptions } from '../../src/index.ts';
import { MIB } from '../../src/limits.ts';
import { temporaryFolder } from '../journal/temporary-folder.ts';
import { expectStored, reasonOf } from './expectation.ts';
import { digestOf, layerBytes } from './layer-bytes.ts';
import { REPOSITORY, startRig, uploaderOptionsFor } from './upload-rig.ts';

const PART_BYTES = 5 * MIB;
const bytes = layerBytes(6 * PART_BYTES + 1000);
const digest = digestOf(bytes);

/** A folder for journals, a file with the layer, and an emulator that outlives the uploaders. */
async function startScene(emulator: EmulatorOptions = {}) {
  const folder = await temporaryFolder();
  const rig = await startRig({
    emulator: { network: { serviceTimeMs: { UploadLayerPart: 10 } }, ...emulator },
  });
  const path = join(folder.path, 'layer.tar');
  await writeFile(path, bytes);
  const resumeDirectory = join(folder.path, 'resume');

  /** @param stopAfter parts after which everything ends at once */
  async function upload(
    source: LayerSource,
    {
      stopAfter = Number.POSITIVE_INFINITY,
      checkFirst = true,
      options = {},
    }: { stopAfter?: number; checkFirst?: boolean; options?: UploaderOptions } = {},
  ) {
    const uploader = createUploader({
      ...uploaderOptionsFor(rig.emulator),
      resumeDirectory,
      ...options,
    });
    const events: LayerEvent[] = [];
    let receipt: LayerReceipt | undefined;
    let error: unknown;
    rig.emulator.journal.clear();
    try {
      receipt = await uploader.uploadLayer(
        { repository: REPOSITORY, source, checkFirst },
        {
          onEvent: (event) => {
            events.push(event);
            const partCount = events.filter(({ type }) => type === 'part-acknowledged').length;
            if (partCount >= stopAfter) void uploader.destroy(new Error('stopped'));
          },
        },
      );
    } catch (thrown) {
      error = thrown;
    } finally {
      await uploader.close();
    }
    const parts = rig.emulator.journal.entries({ operation: 'UploadLayerPart' });
    return {
      receipt,
      error,
      events: events.filter(({ type }) => type !== 'window-changed'),
      problems: events.flatMap((event) =>
        event.type === 'journal-unusable' ? [event.reason] : [],
      ),
      sentParts: parts
        .filter(({ statusCode }) => statusCode === 200)
        .map(({ firstByte = -1 }) => firstByte),
      refusedCount: parts.filter(({ exception }) => exception === 'InvalidLayerPartException')
        .length,
      initiateCount: rig.emulator.journal.count({ operation: 'InitiateLayerUpload' }),
    };
  }

  return {
    ...rig,
    path,
    resumeDirectory,
    upload,
    [Symbol.asyncDispose]: async () => {
      await rig[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

type Scene = Awaited<ReturnType<typeof startScene>>;

function pipe(): Readable {
  return Readable.from(
    (function* chunks() {
      for (let at = 0; at < bytes.length; at += 100_000) yield bytes.subarray(at, at + 100_000);
    })(),
  );
}

const SOURCES: readonly {
  name: string;
  make: (scene: Scene) => LayerSource;
  checkFirst: boolean;
}[] = [
  { name: 'a file', make: ({ path }) => fileSource(path), checkFirst: true },
  {
    name: 'a file that is hashed on the way',
    make: ({ path }) => fileSource(path),
    checkFirst: false,
  },
  { name: 'bytes', make: () => bytesSource(bytes), checkFirst: true },
  {
    name: 'a stream of known digest',
    make: () => streamSource(pipe(), { digest, sizeBytes: bytes.length }),
    checkFirst: true,
  },
  {
    name: 'a stream of known digest and unknown length',
    make: () => streamSource(pipe(), { digest }),
    checkFirst: false,
  },
  {
    name: 'a random access source of known digest',
    make: () =>
      randomAccessSource(
        {
          sizeBytes: bytes.length,
          read: (firstByte, lengthBytes) =>
            Promise.resolve(bytes.subarray(firstByte, firstByte + lengthBytes)),
        },
        { digest },
      ),
    checkFirst: true,
  },
];

describe.each(SOURCES)('an upload of $name', ({ make, checkFirst }) => {
  test('goes on where the last one was stopped', async () => {
    await using scene = await startScene();
    const first = await scene.upload(make(scene), { stopAfter: 2, checkFirst });
    expect(first.error).toEqual(new Error('stopped'));
    expect(await readdir(scene.resumeDirectory)).toHaveLength(1);
    const second = await scene.upload(make(scene), { stopAfter: 2, checkFirst });
    const third = await scene.upload(make(scene), { checkFirst });
    expect(second).toMatchObject({ initiateCount: 0, problems: [] });
    expect(third).toMatchObject({ initiateCount: 0, problems: [] });
    expect(second.refusedCount).toBeLessThanOrEqual(1);
    expect(third.refusedCount).toBeLessThanOrEqual(1);
    const { receipt } = third;
    expect(receipt).toMatchObject({
      digest,
      outcome: 'uploaded',
      partCount: 7,
      sizeBytes: bytes.length,
    });
    const resumedBytes = receipt?.resumedBytes ?? 0;
    expect(resumedBytes).toBeGreaterThanOrEqual(4 * PART_BYTES);
    const sentBytes = bytes.length - resumedBytes + third.refusedCount * PART_BYTES;
    expect(receipt?.sentBytes).toBe(sentBytes);
    expect(third.events).toContainEqual(
      expect.objectContaining({ type: 'layer-resumed', resumedBytes }),
    );
    // Of a part whose answer was not waited for the emulator does not say how it ended.
    const accepted = [first, second, third].flatMap(({ sentParts }) => sentParts);
    expect(accepted).toEqual([...new Set(accepted)].toSorted((left, right) => left - right));
    await expectStored(scene.emulator, bytes);
    expect(await readdir(scene.resumeDirectory)).toEqual([]);
  });
});

describe('a journal that lags behind', () => {
  test.each([1, 3, 4].flatMap((index) => SOURCES[index] ?? []))(
    'costs one part, with $name',
    async ({ make, checkFirst }) => {
      await using scene = await startScene();
      await scene.upload(make(scene), { stopAfter: 4, checkFirst });
      const [name = ''] = await readdir(scene.resumeDirectory);
      const path = join(scene.resumeDirectory, name);
      // All but its header, as if the disk had never caught up.
      const text = await readFile(path, 'utf8');
      await writeFile(path, text.slice(0, text.indexOf('\n') + 1));
      const next = await scene.upload(make(scene), { checkFirst });
      expect(next).toMatchObject({ refusedCount: 1, initiateCount: 0 });
      expect(next.receipt?.resumedBytes).toBeGreaterThanOrEqual(4 * PART_BYTES);
      await expectStored(scene.emulator, bytes);
    },
  );

  test('of all parts completes the layer', async () => {
    await using scene = await startScene({
      faults: [
        {
          operation: 'CompleteLayerUpload',
          action: { kind: 'fail', exception: 'AccessDeniedException' },
        },
      ],
    });
    const failed = await scene.upload(fileSource(scene.path));
    expect(failed.error).toMatchObject({ code: 'E_ACCESS_DENIED' });
    const next = await scene.upload(fileSource(scene.path));
    expect(next).toMatchObject({ sentParts: [], refusedCount: 0, initiateCount: 0 });
    expect(next.receipt).toMatchObject({
      sentBytes: 0,
      resumedBytes: bytes.length,
      outcome: 'uploaded',
    });
    await expectStored(scene.emulator, bytes);
  });
});

describe('an upload starts from its beginning', () => {
  test.each([0, 2].flatMap((index) => SOURCES[index] ?? []))(
    'where ECR has forgotten that of $name',
    async ({ make, checkFirst }) => {
      let nowMs = Date.now();
      await using scene = await startScene({ clock: () => nowMs, verifySignatures: false });
      await scene.upload(make(scene), { stopAfter: 2, checkFirst });
      nowMs += 13 * 60 * 60 * 1000;
      const next = await scene.upload(make(scene), { checkFirst });
      expect(next.receipt).toMatchObject({ outcome: 'uploaded', resumedBytes: 0, digest });
      expect(next).toMatchObject({ initiateCount: 1 });
      expect(next.events).toContainEqual(
        expect.objectContaining({ type: 'layer-restarted', code: 'E_UPLOAD_LOST' }),
      );
      await expectStored(scene.emulator, bytes);
      expect(await readdir(scene.resumeDirectory)).toEqual([]);
    },
  );

  test('and may then lose that upload too, once', async () => {
    let nowMs = Date.now();
    await using scene = await startScene({ clock: () => nowMs, verifySignatures: false });
    await scene.upload(fileSource(scene.path), { stopAfter: 2 });
    nowMs += 13 * 60 * 60 * 1000;
    scene.emulator.addFaults([
      {
        operation: 'UploadLayerPart',
        nth: 2,
        action: { kind: 'fail', exception: 'UploadNotFoundException' },
      },
    ]);
    const next = await scene.upload(fileSource(scene.path));
    expect(next).toMatchObject({ initiateCount: 2, receipt: { outcome: 'uploaded' } });
  });

  test('where the file has changed', async () => {
    await using scene = await startScene();
    await scene.upload(fileSource(scene.path, { digest }), { stopAfter: 2 });
    await scene.upload(fileSource(scene.path), { stopAfter: 2, checkFirst: false });
    const { mtimeMs } = await stat(scene.path);
    await utimes(scene.path, new Date(mtimeMs), new Date(mtimeMs + 5));
    for (const [source, checkFirst] of [
      [fileSource(scene.path, { digest }), true],
      [fileSource(scene.path), false],
    ] as const) {
      const next = await scene.upload(source, { checkFirst });
      expect(next).toMatchObject({
        problems: ['source-changed'],
        initiateCount: 1,
        error: undefined,
      });
      expect(next.receipt).toMatchObject({ resumedBytes: 0 });
    }
  });

  test('where bytes that ECR has were not those of the digest', async () => {
    await using scene = await startScene();
    const other = Buffer.from(bytes);
    other[17] = (other[17] ?? 0) ^ 1;
    await scene.upload(bytesOf(other), { stopAfter: 2 });
    const next = await scene.upload(bytesOf(bytes));
    expect(next.receipt).toMatchObject({ outcome: 'uploaded', digest, resumedBytes: 0 });
    await expectStored(scene.emulator, bytes);
  });
});

/** Bytes that are said to have the layer's digest. */
function bytesOf(content: Uint8Array): LayerSource {
  return bytesSource(content, { digest });
}

describe('an answer to the first part that makes no sense', () => {
  test.each([
    { lastValidByteReceived: 5, why: 'less than the journal knows of' },
    { lastValidByteReceived: 4 * PART_BYTES + 6, why: 'within a part' },
    { lastValidByteReceived: 90 * PART_BYTES, why: 'behind the end' },
  ])('has the layer start again: $why', async ({ lastValidByteReceived }) => {
    await using scene = await startScene();
    await scene.upload(fileSource(scene.path), { stopAfter: 3 });
    const exception = 'InvalidLayerPartException';
    scene.emulator.addFaults([
      {
        operation: 'UploadLayerPart',
        action: { kind: 'fail', exception, members: { lastValidByteReceived } },
      },
    ]);
    const next = await scene.upload(fileSource(scene.path));
    expect(next).toMatchObject({ initiateCount: 1, refusedCount: 1 });
    expect(next.receipt).toMatchObject({ outcome: 'uploaded', resumedBytes: 0 });
    await expectStored(scene.emulator, bytes);
  });

  test('but a lost one is asked for again', async () => {
    await using scene = await startScene();
    await scene.upload(fileSource(scene.path), { stopAfter: 3 });
    scene.emulator.addFaults([{ operation: 'UploadLayerPart', action: { kind: 'lose-reply' } }]);
    const next = await scene.upload(fileSource(scene.path));
    expect(next).toMatchObject({ initiateCount: 0, receipt: { outcome: 'uploaded' } });
    await expectStored(scene.emulator, bytes);
  });
});

describe('a stream that cannot be read again', () => {
  test('fails where ECR has forgotten its upload, and starts anew with the next call', async () => {
    let nowMs = Date.now();
    await using scene = await startScene({ clock: () => nowMs, verifySignatures: false });
    const make = () => streamSource(pipe(), { digest });
    await scene.upload(make(), { stopAfter: 2 });
    nowMs += 13 * 60 * 60 * 1000;
    const lost = await scene.upload(make());
    expect(lost.error).toMatchObject({ code: 'E_UPLOAD_LOST', retryable: true });
    expect(await readdir(scene.resumeDirectory)).toEqual([]);
    const next = await scene.upload(make());
    expect(next).toMatchObject({ initiateCount: 1, receipt: { outcome: 'uploaded' } });
  });

  test('is refused where it is shorter than what ECR has', async () => {
    await using scene = await startScene();
    await scene.upload(streamSource(pipe(), { digest }), { stopAfter: 3 });
    const next = await scene.upload(
      streamSource(Readable.from([bytes.subarray(0, 1000)]), { digest }),
    );
    expect(next.error).toMatchObject({ code: 'E_SOURCE_CHANGED' });
    expect(await readdir(scene.resumeDirectory)).toEqual([]);
  });
});

describe('no journal is left', () => {
  test('of a layer that somebody else has uploaded meanwhile', async () => {
    await using scene = await startScene();
    await scene.upload(fileSource(scene.path), { stopAfter: 2 });
    expect(await readdir(scene.resumeDirectory)).toHaveLength(1);
    await scene.upload(fileSource(scene.path), {
      options: { resumeDirectory: `${scene.path}.other` },
    });
    const next = await scene.upload(fileSource(scene.path));
    expect(next.receipt).toMatchObject({
      outcome: 'already-present',
      sentBytes: 0,
      resumedBytes: 0,
    });
    expect(await readdir(scene.resumeDirectory)).toEqual([]);
  });

  test('of a layer of one part, or of unknown identity', async () => {
    await using scene = await startScene();
    const small = await scene.upload(bytesSource(bytes.subarray(0, PART_BYTES)));
    const nameless = await scene.upload(streamSource(pipe()), { stopAfter: 2 });
    expect(small.receipt).toMatchObject({ outcome: 'uploaded' });
    expect(nameless.error).toBeDefined();
    expect(await reasonOf(readdir(scene.resumeDirectory))).toMatchObject({ code: 'ENOENT' });
  });
});

describe('an upload goes on without a journal', () => {
  test('where another one of the same layer has it', async () => {
    await using scene = await startScene();
    const uploads = await Promise.all([
      scene.upload(fileSource(scene.path), { checkFirst: false }),
      scene.upload(fileSource(scene.path), { checkFirst: false }),
    ]);
    expect(uploads.flatMap(({ problems }) => problems)).toContain('in-use');
    expect(uploads.map(({ receipt }) => receipt?.digest)).toEqual([digest, digest]);
    expect(await readdir(scene.resumeDirectory)).toEqual([]);
  });

  test('where the folder cannot be written', async () => {
    await using scene = await startScene();
    const options = { resumeDirectory: join(scene.path, 'below a file') };
    const upload = await scene.upload(fileSource(scene.path), { options });
    expect(upload).toMatchObject({ problems: ['unwritable'], receipt: { outcome: 'uploaded' } });
  });
});

test('a resume directory must be a path', () => {
  expect(() => createUploader({ resumeDirectory: '' })).toThrow(/resumeDirectory/);
});
