import { describe, expect, test } from 'vitest';
import { type ErrorCode, LongshoreError } from '../../src/errors.ts';
import {
  forgetJournal,
  isResumable,
  type JournalledLayer,
  needsSavedHash,
  openJournal,
  sendingAfter,
} from '../../src/layer/journalled-layer.ts';
import type {
  JournalledProgress,
  JournalledUpload,
  LayerJournal,
} from '../../src/layer/layer-journal.ts';
import type { OpenSource } from '../../src/layer/layer-source.ts';
import type { LayerRegistry } from '../../src/layer/ports.ts';
import { MIB } from '../../src/limits.ts';
import { finish, layerRig, withClock } from './layer-rig.ts';
import { ModelJournals } from './model-journals.ts';
import { savedAt } from './model-workshop.ts';

const SAVED = new Uint8Array([1]);
const FOUND = {
  uploadId: 'one',
  partSizeBytes: 10,
  sizeBytes: undefined,
  file: undefined,
  endByte: 10,
  partCount: 1,
  savedHash: SAVED,
};

/** @param fails whether the nth digest fails, counted over all, and of which state */
function layerOf(fails: (count: number, saved: Uint8Array | undefined) => boolean) {
  const done: string[] = [];
  let digestCount = 0;
  const note = (name: string) => () => {
    done.push(name);
    return Promise.resolve();
  };
  const journal: LayerJournal = {
    found: FOUND,
    begin: note('begin'),
    note: () => undefined,
    discard: note('discard'),
    close: note('close'),
  };
  const layer = {
    journals: { open: () => Promise.resolve(journal) },
    workshop: {
      openHash: (_label: string, { saved }: { saved: Uint8Array | undefined }) => ({
        digest: async () => {
          digestCount += 1;
          if (fails(digestCount, saved))
            throw new LongshoreError('E_WORKER_LOST', 'gone', { job: 'digest' });
        },
        dispose: () => undefined,
      }),
    },
    partSizeBytes: 10,
    repository: 'team/app',
    source: { sizeBytes: undefined, rereadable: false, path: undefined, file: undefined },
    sourceLabel: 'a stream',
    digest: `sha256:${'ab'.repeat(32)}`,
    progress: {
      emit: ({ type, reason }: Record<string, string>) => done.push(`${type}: ${reason}`),
    },
  };
  return { layer: layer as unknown as JournalledLayer, done };
}

describe('the journal of a stream', () => {
  test('is not gone on with where the state of its digest is refused', async () => {
    const { layer, done } = layerOf((_count, saved) => saved !== undefined);
    expect(await openJournal(layer)).toMatchObject({ found: undefined });
    expect(done).toEqual(['journal-unusable: damaged', 'discard']);
  });

  test.each([
    { why: 'a thread is lost once', fails: (count: number) => count === 1 },
    { why: 'no thread can be had at all', fails: () => true },
    { why: 'nothing fails', fails: () => false },
  ])('is kept where $why', async ({ fails }) => {
    const { layer, done } = layerOf(fails);
    expect(await openJournal(layer)).toMatchObject({ found: FOUND });
    expect(done).toEqual([]);
  });
});

const DIGEST = `sha256:${'ab'.repeat(32)}` as const;
const PART_BYTES = 5 * MIB;
const FILE = { path: '/a/blob', stamp: 'as it was' };
const LEFT: JournalledUpload & JournalledProgress = {
  uploadId: 'one',
  partSizeBytes: PART_BYTES,
  sizeBytes: 12 * MIB,
  file: FILE,
  endByte: PART_BYTES,
  partCount: 1,
  savedHash: undefined,
};

const CHANGED = {
  reason: 'source-changed',
  message: 'the layer starts from its beginning: it is not what it was when its upload began',
};

/** A layer with its journal. @param kept what an earlier process left */
function layerWith(
  source: Partial<OpenSource>,
  kept?: typeof LEFT,
  more: Partial<JournalledLayer> = {},
) {
  const rig = layerRig();
  const journals = new ModelJournals();
  journals.kept = kept;
  const layer: JournalledLayer = {
    journals,
    workshop: rig.workshop,
    partSizeBytes: PART_BYTES,
    repository: 'team/app',
    source: { sizeBytes: 12 * MIB, rereadable: true, ...source } as OpenSource,
    sourceLabel: 'the layer',
    digest: DIGEST,
    progress: rig.progress,
    ...more,
  };
  return { rig, journals, layer };
}

describe('a layer', () => {
  withClock();

  test('has no journal where nobody keeps one', async () => {
    const { layer } = layerWith({}, LEFT, { journals: undefined });
    expect(await finish(openJournal(layer))).toBeUndefined();
    await finish(forgetJournal(layer));
  });

  test.each([
    { what: 'of one part', source: { sizeBytes: PART_BYTES }, partSizeBytes: PART_BYTES },
    {
      what: 'of one part of any size',
      source: { sizeBytes: PART_BYTES },
      partSizeBytes: undefined,
    },
    { what: 'of one large part', source: { sizeBytes: 20 * MIB }, partSizeBytes: 20 * MIB },
    { what: 'that nobody could find again', source: {}, digest: undefined },
    {
      what: 'that nobody could find again, for its size is not known',
      source: { file: FILE, sizeBytes: undefined },
      digest: undefined,
    },
  ])('has no journal $what', async ({ source, what: _what, ...more }) => {
    const { journals, layer } = layerWith(source, LEFT, more);
    expect(await finish(openJournal(layer))).toBeUndefined();
    await finish(forgetJournal(layer));
    expect(journals.steps).toEqual([]);
  });

  test('is found again by its digest, or by its place in its file', async () => {
    for (const { source, digest, identity } of [
      { source: { sizeBytes: PART_BYTES + 1 }, digest: DIGEST, identity: { digest: DIGEST } },
      {
        source: { sizeBytes: undefined, file: FILE },
        digest: DIGEST,
        identity: { digest: DIGEST },
      },
      {
        source: { file: FILE },
        digest: undefined,
        identity: { path: '/a/blob', offsetBytes: 0, sizeBytes: 12 * MIB },
      },
      {
        source: { file: FILE, pathOffsetBytes: 7 },
        digest: undefined,
        identity: { path: '/a/blob', offsetBytes: 7, sizeBytes: 12 * MIB },
      },
    ]) {
      const { journals, layer } = layerWith(source, undefined, {
        digest,
        partSizeBytes: undefined,
      });
      expect(await finish(openJournal(layer))).toMatchObject({ found: undefined });
      expect(journals.identities).toEqual([{ repository: 'team/app', ...identity }]);
      expect(journals.steps).toEqual(['open']);
    }
  });

  test('that ECR has is forgotten', async () => {
    const { journals, layer } = layerWith({}, LEFT);
    await finish(forgetJournal(layer));
    expect(journals.steps).toEqual(['open', 'discard', 'close']);
  });

  test('goes on without a journal that cannot be had, and tells why', async () => {
    const { rig, layer } = layerWith({}, undefined, {
      journals: {
        open: (_identity, onProblem) => {
          onProblem('in-use', 'another process has it');
          return Promise.resolve(undefined);
        },
      },
    });
    expect(await finish(openJournal(layer))).toBeUndefined();
    expect(rig.eventsOf('journal-unusable')).toMatchObject([
      { reason: 'in-use', message: 'another process has it' },
    ]);
    await finish(forgetJournal(layer));
    expect(rig.eventsOf('journal-unusable')).toHaveLength(1);
  });
});

describe('what an earlier process left', () => {
  withClock();

  test.each([
    { what: 'the same file', source: { file: FILE } },
    {
      what: 'another file of the same digest',
      source: { file: { ...FILE, path: '/a/copy', stamp: '' } },
    },
    { what: 'no file', source: { file: undefined } },
    { what: 'a source of unknown size', source: { file: FILE, sizeBytes: undefined } },
  ])('is gone on with from $what', async ({ source }) => {
    const { rig, journals, layer } = layerWith(source, LEFT);
    expect(await finish(openJournal(layer))).toMatchObject({ found: LEFT });
    expect(journals.steps).toEqual(['open']);
    expect(rig.events).toEqual([]);
  });

  test('by a source of unknown size, or none that was a file, says nothing of the new one', async () => {
    for (const left of [
      { ...LEFT, sizeBytes: undefined },
      { ...LEFT, file: undefined },
    ]) {
      const { layer } = layerWith({ file: FILE }, left);
      expect(await finish(openJournal(layer))).toMatchObject({ found: left });
    }
  });

  test.each([
    { what: 'of another size', source: { sizeBytes: 13 * MIB, file: FILE } },
    { what: 'that was written to', source: { file: { ...FILE, stamp: 'another' } } },
  ])('is forgotten of a source $what', async ({ source }) => {
    const { rig, journals, layer } = layerWith(source, LEFT);
    expect(await finish(openJournal(layer))).toMatchObject({ found: undefined });
    expect(journals.steps).toEqual(['open', 'discard']);
    expect(rig.eventsOf('journal-unusable')).toMatchObject([CHANGED]);
  });

  test('is not asked for its digest where the bytes can be read again', async () => {
    const left = { ...LEFT, savedHash: savedAt(PART_BYTES) };
    for (const source of [{ rereadable: true }, { rereadable: false, path: '/a/blob' }]) {
      const { rig, layer } = layerWith(source, left);
      rig.workshop.fail('digest');
      expect(await finish(openJournal(layer))).toMatchObject({ found: left });
      expect(rig.workshop.portables).toEqual([]);
    }
    const { rig, layer } = layerWith({ rereadable: false }, LEFT);
    expect(await finish(openJournal(layer))).toMatchObject({ found: LEFT });
    expect(rig.workshop.portables).toEqual([]);
  });

  test('of a stream is told of where the state of its digest is refused', async () => {
    const left = { ...LEFT, savedHash: savedAt(PART_BYTES) };
    const { rig, layer } = layerWith({ rereadable: false }, left);
    rig.workshop.fail('digest');
    rig.workshop.fail('digest');
    expect(await finish(openJournal(layer))).toMatchObject({ found: undefined });
    expect(rig.eventsOf('journal-unusable')).toMatchObject([
      {
        reason: 'damaged',
        message: 'the layer starts from its beginning: the state of its digest cannot be read',
      },
    ]);
    expect(rig.workshop.portables).toEqual([
      { saved: left.savedHash },
      { saved: left.savedHash },
      { saved: undefined },
    ]);
    expect(rig.workshop.openCount).toBe(0);
  });
});

test('a digest is saved of what can be read only once, and by no worker', () => {
  const needs = (source: Partial<OpenSource>): boolean => needsSavedHash(source as OpenSource);
  expect(needs({ path: undefined, rereadable: false })).toBe(true);
  expect(needs({ path: undefined, rereadable: true })).toBe(false);
  expect(needs({ path: '/a', rereadable: false })).toBe(false);
});

describe('an upload', () => {
  test.each([
    'E_DIGEST_MISMATCH',
    'E_LAYER_REJECTED',
    'E_LAYER_TOO_LARGE',
    'E_PART_REJECTED',
    'E_REGISTRY_PROTOCOL',
    'E_REPOSITORY_NOT_FOUND',
    'E_SOURCE_CHANGED',
    'E_SOURCE_EMPTY',
    'E_UPLOAD_LOST',
  ] as const)('is not resumed after %s', (code) => {
    expect(isResumable(new LongshoreError<ErrorCode>(code, 'by the test', {}))).toBe(false);
  });

  test('is resumed after whatever may pass, and after an abort', () => {
    expect(isResumable(new LongshoreError('E_CLOSED', 'closed', {}))).toBe(true);
    expect(isResumable(new DOMException('enough', 'AbortError'))).toBe(true);
  });
});

describe('a part of a layer with a journal', () => {
  type Sending = Parameters<LayerRegistry['sendPart']>;

  test('is sent once the journal has begun, as it is', async () => {
    let begin = (): void => undefined;
    const begun = new Promise<void>((resolve) => {
      begin = resolve;
    });
    const sent: Sending[] = [];
    const registry = sendingAfter(begun, {
      sendPart: async (...sending) => {
        sent.push(sending);
        return 7;
      },
    });
    const { signal } = new AbortController();
    const sending = [{ uploadId: 'one' }, { firstByte: 0 }, Promise.resolve(), signal];
    const first = registry.sendPart(...(sending as unknown as Sending));
    await Promise.resolve();
    expect(sent).toEqual([]);
    begin();
    expect(await first).toBe(7);
    expect(sent).toEqual([sending]);
    // From then on nothing is waited for.
    const second = registry.sendPart(...(sending as unknown as Sending));
    expect(sent).toHaveLength(2);
    await second;
  });

  test('is not waited with after an abort', async () => {
    const registry = sendingAfter(new Promise(() => undefined), {
      sendPart: () => Promise.resolve(7),
    });
    const abort = new AbortController();
    const reason = new Error('enough');
    const sending = [{}, {}, undefined, abort.signal] as unknown as Sending;
    const failing = registry.sendPart(...sending).catch((error: unknown) => error);
    abort.abort(reason);
    expect(await failing).toBe(reason);
  });
});
