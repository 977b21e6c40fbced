/** Journals that somebody else has written, or changed. */

import { createHash } from 'node:crypto';
import { type JournalReading, readJournal } from '../../../src/journal/journal-text.ts';
import { type FuzzTarget, pureTarget } from '../fuzz-target.ts';

const CHECKSUM_CHARACTERS = 32;

/** Gives every line the checksum it needs: without, all but the first are never looked at. */
function signed(input: Buffer): Buffer {
  let checksum = '';
  const lines = input.toString('utf8').split('\n');
  const text = lines.map((json) => {
    checksum = createHash('sha256')
      .update(`${checksum}\n${json}`)
      .digest('hex')
      .slice(0, CHECKSUM_CHARACTERS);
    return `${checksum} ${json}\n`;
  });
  return Buffer.from(text.join(''));
}

function outcomeOf(bytes: Uint8Array): string {
  const reading: JournalReading = readJournal(bytes);
  if (reading.kind !== 'upload') return reading.kind;
  const { progress, upload, validBytes } = reading;
  if (validBytes > bytes.length) throw new Error('more is valid than there is');
  if (progress.endByte > (upload.sizeBytes ?? Number.MAX_SAFE_INTEGER)) {
    throw new Error('it goes on behind the end of the layer');
  }
  return `upload ${Math.min(progress.partCount, 3)} ${progress.savedHash === undefined}`;
}

const journal: FuzzTarget = pureTarget({
  name: 'layer-journal',
  words: [
    '\n',
    '"version":1',
    '"endByte":',
    '"partCount":',
    '"hash":"AAAA"',
    '"file":null',
    '"sizeBytes":null',
  ],
  run: (input) => `${outcomeOf(input)} ${outcomeOf(signed(input))}`,
});

export const journals: readonly FuzzTarget[] = [journal];
