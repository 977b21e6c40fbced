/**
 * The text of a journal: a header, then one line for each point that an upload has reached. Every line
 * carries a checksum over itself and all lines before it, so what was torn, damaged or written by two
 * at once ends the journal there, and what stands before it holds. Pure.
 */

import { createHash } from 'node:crypto';
import type { JournalledProgress, JournalledUpload } from '../layer/layer-journal.ts';
import type { SourceFile } from '../layer/layer-source.ts';

const JOURNAL_VERSION = 1;

/** The largest layer with saved states takes 1.2 MB; what is longer was not written by us. */
export const JOURNAL_BYTES_MAX: number = 4 * 1024 * 1024;

const KIND = 'longshore-layer';
/** Half a SHA-256, hexadecimal. */
const CHECKSUM_LENGTH = 32;
const LINE_FEED = 0x0a;

/** Text to append, and the checksum that the next line goes on from. */
export interface JournalLine {
  readonly text: string;
  readonly checksum: string;
}

/** What could be read of a journal. */
export type JournalReading =
  | {
      readonly kind: 'upload';
      readonly upload: JournalledUpload;
      readonly progress: JournalledProgress;
      /** Of the longest valid beginning. */
      readonly validBytes: number;
      readonly checksum: string;
    }
  /** No line is whole: the process ended while it began. */
  | { readonly kind: 'empty' }
  | { readonly kind: 'damaged' }
  | { readonly kind: 'unknown-version' };

const NO_PROGRESS: JournalledProgress = { endByte: 0, partCount: 0, savedHash: undefined };

/** @param repository for people who look into the file */
export function headerLine(repository: string, upload: JournalledUpload): JournalLine {
  const { uploadId, partSizeBytes, sizeBytes, file } = upload;
  return line('', {
    journal: KIND,
    version: JOURNAL_VERSION,
    repository,
    uploadId,
    partSizeBytes,
    sizeBytes: sizeBytes ?? null,
    file: file ?? null,
  });
}

/** @param checksum of the line before */
export function progressLine(checksum: string, progress: JournalledProgress): JournalLine {
  const { endByte, partCount, savedHash } = progress;
  const state = savedHash === undefined ? {} : { hash: Buffer.from(savedHash).toString('base64') };
  return line(checksum, { endByte, partCount, ...state });
}

/** Reads the longest valid beginning. */
export function readJournal(bytes: Uint8Array): JournalReading {
  if (bytes.length > JOURNAL_BYTES_MAX) return { kind: 'damaged' };
  const content = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const headerEnd = content.indexOf(LINE_FEED);
  if (headerEnd < 0) return { kind: 'empty' };
  const header = checkedLine(content, 0, headerEnd, '');
  if (header === undefined || header.value['journal'] !== KIND) return { kind: 'damaged' };
  if (header.value['version'] !== JOURNAL_VERSION) return { kind: 'unknown-version' };
  const upload = uploadOf(header.value);
  if (upload === undefined) return { kind: 'damaged' };
  let { checksum } = header;
  let validBytes = headerEnd + 1;
  let progress = NO_PROGRESS;
  for (;;) {
    const lineEnd = content.indexOf(LINE_FEED, validBytes);
    if (lineEnd < 0) break;
    const next = checkedLine(content, validBytes, lineEnd, checksum);
    const reached = next === undefined ? undefined : progressOf(next.value, progress, upload);
    if (next === undefined || reached === undefined) break;
    progress = reached;
    checksum = next.checksum;
    validBytes = lineEnd + 1;
  }
  return { kind: 'upload', upload, progress, validBytes, checksum };
}

type Value = Readonly<Record<string, unknown>>;

function line(previous: string, value: Value): JournalLine {
  const json = JSON.stringify(value);
  const checksum = checksumOf(previous, json);
  return { text: `${checksum} ${json}\n`, checksum };
}

function checksumOf(previous: string, json: string): string {
  return createHash('sha256')
    .update(`${previous}\n${json}`)
    .digest('hex')
    .slice(0, CHECKSUM_LENGTH);
}

function checkedLine(
  content: Buffer,
  start: number,
  end: number,
  previous: string,
): { readonly value: Value; readonly checksum: string } | undefined {
  const text = content.toString('utf8', start, end);
  const checksum = text.slice(0, CHECKSUM_LENGTH);
  const json = text.slice(CHECKSUM_LENGTH + 1);
  if (text[CHECKSUM_LENGTH] !== ' ' || checksumOf(previous, json) !== checksum) return undefined;
  const value = parsed(json);
  return typeof value === 'object' && value !== null
    ? { value: value as Value, checksum }
    : undefined;
}

/** What has the right checksum was written by us, or by somebody who can calculate one. */
function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

function uploadOf(value: Value): JournalledUpload | undefined {
  const { uploadId, partSizeBytes, sizeBytes, file } = value;
  if (typeof uploadId !== 'string' || uploadId === '' || !isCount(partSizeBytes)) return undefined;
  if (partSizeBytes === 0 || !(sizeBytes === null || isCount(sizeBytes))) return undefined;
  const stamped = file === null ? undefined : fileOf(file);
  if (file !== null && stamped === undefined) return undefined;
  return { uploadId, partSizeBytes, sizeBytes: sizeBytes ?? undefined, file: stamped };
}

function fileOf(value: unknown): SourceFile | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { path, stamp } = value as Value;
  return typeof path === 'string' && typeof stamp === 'string' ? { path, stamp } : undefined;
}

/** Progress never goes back, and never beyond the layer. */
function progressOf(
  value: Value,
  before: JournalledProgress,
  { sizeBytes = Number.MAX_SAFE_INTEGER }: JournalledUpload,
): JournalledProgress | undefined {
  const { endByte, partCount, hash } = value;
  if (!isCount(endByte) || !isCount(partCount)) return undefined;
  if (endByte < before.endByte || partCount < before.partCount || endByte > sizeBytes) {
    return undefined;
  }
  if (hash !== undefined && typeof hash !== 'string') return undefined;
  const savedHash = hash === undefined ? undefined : new Uint8Array(Buffer.from(hash, 'base64'));
  return { endByte, partCount, savedHash };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
