/** Journals in memory: what one process leaves, the next one finds. */

import type {
  JournalIdentity,
  JournalledProgress,
  JournalledUpload,
  LayerJournal,
  LayerJournals,
} from '../../src/layer/layer-journal.ts';

export class ModelJournals implements LayerJournals {
  /** Of the one layer there is. */
  kept: (JournalledUpload & JournalledProgress) | undefined;
  /** `open`, `begin`, `note 5`, `discard`, `close`; notes in parts. */
  readonly steps: string[] = [];
  readonly identities: JournalIdentity[] = [];
  /** What `begin` waits for. */
  beginning: Promise<void> = Promise.resolve();

  async open(identity: JournalIdentity): Promise<LayerJournal> {
    this.steps.push('open');
    this.identities.push(identity);
    return {
      found: this.kept,
      begin: async (upload) => {
        this.steps.push('begin');
        this.kept = { ...upload, endByte: 0, partCount: 0, savedHash: undefined };
        await this.beginning;
      },
      note: (progress) => {
        this.steps.push(`note ${progress.partCount}`);
        if (this.kept !== undefined) this.kept = { ...this.kept, ...progress };
      },
      discard: async () => {
        this.steps.push('discard');
        this.kept = undefined;
      },
      close: async () => {
        this.steps.push('close');
      },
    };
  }
}
