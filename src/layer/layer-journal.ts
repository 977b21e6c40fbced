/** What the heart needs to go on after a crash; `src/journal` provides it. */

import type { Digest } from '../digest.ts';
import type { SourceFile } from './layer-source.ts';

/** Why the journal of a layer was of no use. */
export type JournalProblem =
  /** Another process, or another upload of this one, is at the same layer. It goes on without. */
  | 'in-use'
  /** Written by another version of longshore. It is left alone, and the upload goes on without. */
  | 'unknown-version'
  /** Nothing in it can be read. The layer starts from its beginning. */
  | 'damaged'
  /** The file is not the one it was. The layer starts from its beginning. */
  | 'source-changed'
  /** The folder or the disk would not take it. The upload goes on without. */
  | 'unwritable';

/** Told of each problem; `message` is for people. */
export type OnJournalProblem = (problem: JournalProblem, message: string) => void;

/** What makes an upload the same one in another process. */
export type JournalIdentity = { readonly repository: string } & (
  | { readonly digest: Digest }
  | { readonly path: string; readonly offsetBytes: number; readonly sizeBytes: number }
);

/** What holds for an upload as long as it lasts. */
export interface JournalledUpload {
  readonly uploadId: string;
  readonly partSizeBytes: number;
  readonly sizeBytes: number | undefined;
  /** The file its bytes come from, as it was when the upload began. */
  readonly file: SourceFile | undefined;
}

/** How far an upload has got: parts that the registry has acknowledged. */
export interface JournalledProgress {
  /** The first byte that is not known to be at the registry. */
  readonly endByte: number;
  readonly partCount: number;
  /** State of the digest of the bytes before `endByte`, where it can be saved. */
  readonly savedHash: Uint8Array | undefined;
}

/** One layer's journal, held by this process alone. None of its methods rejects. */
export interface LayerJournal {
  /** What an earlier process left. */
  readonly found: (JournalledUpload & JournalledProgress) | undefined;
  /** Begins with a new upload; what was there is forgotten. Resolves when it is on disk, or cannot be. */
  begin(upload: JournalledUpload): Promise<void>;
  /** Takes note of progress and returns at once. */
  note(progress: JournalledProgress): void;
  /** There is nothing to go on with any more. `begin` may follow. */
  discard(): Promise<void>;
  /** Writes what is noted and lets the layer go; what is on disk stays. Idempotent. */
  close(): Promise<void>;
}

export interface LayerJournals {
  /** Takes the journal of a layer; `undefined` where it must go on without. Never rejects. */
  open(identity: JournalIdentity, onProblem: OnJournalProblem): Promise<LayerJournal | undefined>;
}
