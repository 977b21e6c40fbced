/** A layer and its journal: what the upload of an earlier process is good for, and what is left for the next. */

import { abortable } from '../abort.ts';
import type { Digest } from '../digest.ts';
import { type ErrorCode, LongshoreError } from '../errors.ts';
import { PART_SIZE_MIN_BYTES } from '../limits.ts';
import { openBounded } from './bounded-journal.ts';
import type {
  JournalIdentity,
  JournalledProgress,
  JournalledUpload,
  LayerJournal,
  LayerJournals,
} from './layer-journal.ts';
import type { LayerProgress } from './layer-progress.ts';
import type { OpenSource } from './layer-source.ts';
import type { LayerRegistry, LayerWorkshop } from './ports.ts';

/** Where a layer's journal is to be found, if it has one. */
export interface JournalledLayer {
  readonly journals: LayerJournals | undefined;
  readonly workshop: LayerWorkshop;
  /** Layers of one part have nothing to resume. */
  readonly partSizeBytes: number | undefined;
  readonly repository: string;
  readonly source: OpenSource;
  readonly sourceLabel: string;
  readonly digest: Digest | undefined;
  readonly progress: LayerProgress;
}

/** A journal, and the upload in it that can be gone on with. */
export interface UsableJournal {
  readonly journal: LayerJournal;
  readonly found: (JournalledUpload & JournalledProgress) | undefined;
}

/** A thread may be lost once; that says nothing of the state. */
const STATE_TRIES_MAX = 2;

/** After these the next call would fail the same way, or the upload is of no use any more. */
const NOTHING_TO_RESUME: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'E_DIGEST_MISMATCH',
  'E_LAYER_REJECTED',
  'E_LAYER_TOO_LARGE',
  'E_PART_REJECTED',
  'E_REGISTRY_PROTOCOL',
  'E_REPOSITORY_NOT_FOUND',
  'E_SOURCE_CHANGED',
  'E_SOURCE_EMPTY',
  'E_UPLOAD_LOST',
]);

/** Whether the next call may go on where this one failed: also after an abort. */
export function isResumable(error: unknown): boolean {
  return !LongshoreError.is(error) || !NOTHING_TO_RESUME.has(error.code);
}

/**
 * Whether a source is resumed by the saved state of its digest: one that can be read only once is read
 * and dropped up to where the upload goes on, and hashed only from there. Only the portable hasher's
 * state can be saved. All others are hashed again at native speed, which costs less than hashing every
 * upload the portable way.
 */
export function needsSavedHash({ path, rereadable }: OpenSource): boolean {
  return path === undefined && !rereadable;
}

/** Opens the journal of a layer; `undefined` where the layer has none or must go on without. */
export async function openJournal(layer: JournalledLayer): Promise<UsableJournal | undefined> {
  const { journals, progress } = layer;
  const identity = identityOf(layer);
  if (journals === undefined || identity === undefined) return undefined;
  const journal = await openBounded(journals, identity, (reason, message) =>
    progress.emit({ type: 'journal-unusable', reason, message }),
  );
  if (journal === undefined) return undefined;
  const { found } = journal;
  if (found === undefined) return { journal, found };
  const isSame = isSameSource(found, layer.source);
  if (isSame && (await canGoOn(found, layer))) return { journal, found };
  const [reason, problem] = isSame
    ? (['damaged', 'the state of its digest cannot be read'] as const)
    : (['source-changed', 'it is not what it was when its upload began'] as const);
  const message = `${layer.sourceLabel} starts from its beginning: ${problem}`;
  progress.emit({ type: 'journal-unusable', reason, message });
  await journal.discard();
  return { journal, found: undefined };
}

/** The registry has the layer: whatever an earlier process left of its upload is of no use. */
export async function forgetJournal(layer: JournalledLayer): Promise<void> {
  const { journals } = layer;
  const identity = identityOf(layer);
  if (journals === undefined || identity === undefined) return;
  const journal = await openBounded(journals, identity, () => undefined);
  await journal?.discard();
  await journal?.close();
}

/**
 * Sends no part before its upload is in the journal: else a crash would leave parts nobody knows of.
 * @param begun resolves within a bounded time
 */
export function sendingAfter(
  begun: Promise<void>,
  registry: Pick<LayerRegistry, 'sendPart'>,
): Pick<LayerRegistry, 'sendPart'> {
  let isBegun = false;
  void begun.then(() => {
    isBegun = true;
  });
  return {
    sendPart: async (target, part, gate, signal) => {
      if (!isBegun) await abortable(begun, signal);
      return registry.sendPart(target, part, gate, signal);
    },
  };
}

function identityOf(layer: JournalledLayer): JournalIdentity | undefined {
  const { repository, digest, source, partSizeBytes = PART_SIZE_MIN_BYTES } = layer;
  const { sizeBytes, file, pathOffsetBytes = 0 } = source;
  if (sizeBytes !== undefined && sizeBytes <= partSizeBytes) return undefined;
  if (digest !== undefined) return { repository, digest };
  if (file === undefined || sizeBytes === undefined) return undefined;
  return { repository, path: file.path, offsetBytes: pathOffsetBytes, sizeBytes };
}

/** The digest speaks for bytes from elsewhere; the same file must be as it was. */
function isSameSource(found: JournalledUpload, { sizeBytes, file }: OpenSource): boolean {
  const isOtherSize =
    found.sizeBytes !== undefined && sizeBytes !== undefined && found.sizeBytes !== sizeBytes;
  const isOtherFile =
    found.file !== undefined &&
    file !== undefined &&
    found.file.path === file.path &&
    found.file.stamp !== file.stamp;
  return !isOtherSize && !isOtherFile;
}

/**
 * Another version of the hasher may refuse a state; that is to be known before the source is read. If
 * no digest at all can be had, it is not the state that is refused.
 */
async function canGoOn(
  { savedHash }: JournalledProgress,
  { source, workshop, sourceLabel }: JournalledLayer,
): Promise<boolean> {
  if (savedHash === undefined || !needsSavedHash(source)) return true;
  for (let count = 0; count < STATE_TRIES_MAX; count += 1) {
    if (await hasDigest(workshop, sourceLabel, savedHash)) return true;
  }
  return !(await hasDigest(workshop, sourceLabel, undefined));
}

async function hasDigest(
  workshop: LayerWorkshop,
  label: string,
  saved: Uint8Array | undefined,
): Promise<boolean> {
  const hash = workshop.openHash(label, { saved });
  try {
    await hash.digest();
    return true;
  } catch {
    return false;
  } finally {
    hash.dispose();
  }
}
