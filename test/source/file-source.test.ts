import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  mkdtempSync,
  renameSync,
  rmSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fileSource } from '../../src/index.ts';
import type { LayerEvent } from '../../src/index.ts';
import { LAYER_SIZE_MAX_BYTES, MIB } from '../../src/limits.ts';
import { callCounts, expectFailure, expectStored } from '../uploader/expectation.ts';
import { digestOf, layerBytes } from '../uploader/layer-bytes.ts';
import { REPOSITORY, startRig } from '../uploader/upload-rig.ts';

let folder = '';
let lastFile = 0;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'longshore-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function newPath(): string {
  lastFile += 1;
  return join(folder, `layer-${lastFile}.tar`);
}

function newFile(bytes: Uint8Array): string {
  const path = newPath();
  writeFileSync(path, bytes);
  return path;
}

describe('a file', () => {
  test('is hashed first, then sent in parts by the workers', async () => {
    const bytes = layerBytes(6 * MIB + 3);
    const path = newFile(bytes);
    const events: LayerEvent[] = [];
    await using rig = await startRig();
    const receipt = await rig.upload(fileSource(path), { onEvent: (event) => events.push(event) });
    expect(receipt).toMatchObject({ source: path, digest: digestOf(bytes), partCount: 2 });
    expect(events).toContainEqual(
      expect.objectContaining({ type: 'layer-hashed', digest: digestOf(bytes) }),
    );
    await expectStored(rig.emulator, bytes);
  });

  test('of known digest is read once', async () => {
    const bytes = layerBytes(5000);
    const events: string[] = [];
    await using rig = await startRig();
    await rig.upload(fileSource(newFile(bytes), { digest: digestOf(bytes) }), {
      onEvent: ({ type }) => events.push(type),
    });
    expect(events).not.toContain('layer-hashed');
    await expectStored(rig.emulator, bytes);
  });

  test('of another digest ends in E_DIGEST_MISMATCH, and nothing is completed', async () => {
    const bytes = layerBytes(6000);
    const expected = digestOf(layerBytes(10));
    await using rig = await startRig();
    const error = await expectFailure(
      rig.upload(fileSource(newFile(bytes), { digest: expected, label: 'base layer' })),
      'E_DIGEST_MISMATCH',
    );
    expect(error.details).toEqual({ expected, actual: digestOf(bytes), source: 'base layer' });
    expect(callCounts(rig.emulator)['CompleteLayerUpload']).toBeUndefined();
  });

  test('may have any characters in its path', async () => {
    const bytes = layerBytes(100);
    const path = join(folder, 'läyer "№ 7" %41 #?.tar');
    writeFileSync(path, bytes);
    await using rig = await startRig();
    await rig.upload(fileSource(path));
    await expectStored(rig.emulator, bytes);
  });
});

describe('a file that cannot be a layer', () => {
  test.each([
    { name: 'is missing', make: newPath, text: /no such file/, systemCode: 'ENOENT' },
    { name: 'is a directory', make: () => folder, text: /directory; pack it into a tar/ },
    {
      name: 'is a FIFO',
      make: () => {
        const path = newPath();
        execFileSync('mkfifo', [path]);
        return path;
      },
      text: /not a regular file; use streamSource/,
    },
    { name: 'is a device', make: () => '/dev/null', text: /not a regular file/ },
  ])('ends in E_SOURCE_UNREADABLE without a call: it $name', async (row) => {
    const path = row.make();
    await using rig = await startRig();
    const error = await expectFailure(rig.upload(fileSource(path)), 'E_SOURCE_UNREADABLE');
    expect(error.message).toMatch(row.text);
    expect(error.details.source).toBe(path);
    expect(error.details.systemCode).toBe(row.systemCode);
    expect(error.origin).toBe('source');
    expect(callCounts(rig.emulator)).toEqual({});
  });

  // The superuser may read everything.
  test.skipIf(process.getuid?.() === 0)('ends in E_SOURCE_UNREADABLE: no permission', async () => {
    const path = newFile(layerBytes(10));
    chmodSync(path, 0o000);
    await using rig = await startRig();
    const error = await expectFailure(rig.upload(fileSource(path)), 'E_SOURCE_UNREADABLE');
    expect(error.details.systemCode).toBe('EACCES');
  });

  test('ends in E_SOURCE_EMPTY without a call: it has no bytes', async () => {
    await using rig = await startRig();
    await expectFailure(rig.upload(fileSource(newFile(new Uint8Array(0)))), 'E_SOURCE_EMPTY');
    expect(callCounts(rig.emulator)).toEqual({});
  });

  test('ends in E_LAYER_TOO_LARGE before a call or a read: it has more than 52,000 MiB', async () => {
    const path = newFile(new Uint8Array(1));
    truncateSync(path, LAYER_SIZE_MAX_BYTES + 1);
    await using rig = await startRig();
    const error = await expectFailure(rig.upload(fileSource(path)), 'E_LAYER_TOO_LARGE');
    expect(error.details).toMatchObject({
      sizeBytes: LAYER_SIZE_MAX_BYTES + 1,
      limitBytes: LAYER_SIZE_MAX_BYTES,
      partCountMax: 4200,
    });
    expect(callCounts(rig.emulator)).toEqual({});
  });
});

interface Change {
  readonly name: string;
  readonly change: (path: string) => void;
  readonly code: 'E_SOURCE_CHANGED' | 'E_SOURCE_UNREADABLE';
}

const CHANGES: readonly Change[] = [
  { name: 'grows', change: (path) => appendFileSync(path, 'more'), code: 'E_SOURCE_CHANGED' },
  { name: 'shrinks', change: (path) => truncateSync(path, 3 * MIB), code: 'E_SOURCE_CHANGED' },
  { name: 'becomes empty', change: (path) => truncateSync(path, 0), code: 'E_SOURCE_CHANGED' },
  {
    name: 'is rewritten in place',
    change: (path) => {
      writeFileSync(path, layerBytes(6 * MIB, 9), { flag: 'r+' });
      // Whatever the resolution of the file system's clock.
      utimesSync(path, new Date(), new Date(Date.now() + 5000));
    },
    code: 'E_SOURCE_CHANGED',
  },
  {
    name: 'is replaced by another of the same size',
    change: (path) => renameSync(newFile(layerBytes(6 * MIB, 9)), path),
    code: 'E_SOURCE_CHANGED',
  },
  { name: 'is removed', change: (path) => unlinkSync(path), code: 'E_SOURCE_UNREADABLE' },
];

describe.each([true, false])('a file that changes while it is sent (digest known: %s)', (known) => {
  test.each(CHANGES)('ends in $code, uncompleted: it $name', async ({ change, code }) => {
    const bytes = layerBytes(6 * MIB);
    const path = newFile(bytes);
    await using rig = await startRig({ uploader: { partsInFlight: 1 } });
    const upload = rig.uploader.uploadLayer(
      {
        repository: REPOSITORY,
        source: fileSource(path, known ? { digest: digestOf(bytes) } : {}),
        checkFirst: known,
      },
      { onEvent: ({ type }) => void (type === 'upload-initiated' && change(path)) },
    );
    const error = await expectFailure(upload, code);
    expect(error.details).toMatchObject({ source: path });
    expect(error.retryable).toBe(false);
    expect(callCounts(rig.emulator)['CompleteLayerUpload']).toBeUndefined();
    expect(rig.emulator.layers(REPOSITORY)).toEqual([]);
  });
});

test('a file that changes while it is hashed is not sent at all', async () => {
  const path = newFile(layerBytes(6 * MIB));
  await using rig = await startRig();
  const upload = rig.upload(fileSource(path), {
    onEvent: ({ type }) => void (type === 'layer-started' && appendFileSync(path, 'more')),
  });
  const error = await expectFailure(upload, 'E_SOURCE_CHANGED');
  expect(error.details).toMatchObject({
    expectedSizeBytes: 6 * MIB,
    actualSizeBytes: 6 * MIB + 4,
  });
  expect(callCounts(rig.emulator)).toEqual({});
});

test('a file that changed between hashing and sending is told apart from a wrong digest', async () => {
  const path = newFile(layerBytes(8000));
  await using rig = await startRig();
  const upload = rig.upload(fileSource(path), {
    onEvent: ({ type }) => {
      if (type !== 'layer-hashed') return;
      writeFileSync(path, layerBytes(8000, 4), { flag: 'r+' });
      utimesSync(path, new Date(), new Date(Date.now() + 5000));
    },
  });
  await expectFailure(upload, 'E_SOURCE_CHANGED');
  expect(callCounts(rig.emulator)['CompleteLayerUpload']).toBeUndefined();
});
