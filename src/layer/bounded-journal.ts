/**
 * Journals that nobody waits for without end: a disk may hang, and a layer needs no journal. Who has
 * waited too long goes on; what was asked for goes on too, in its order, for when the disk answers again.
 */

import type {
  JournalIdentity,
  JournalledProgress,
  JournalledUpload,
  LayerJournal,
  LayerJournals,
  OnJournalProblem,
} from './layer-journal.ts';

/** Longest time that a layer waits for its journal, once for each thing it asks of it. */
export const JOURNAL_WAIT_MS_MAX = 2000;

/** As `journals.open`; after too long a wait `undefined`, and what comes late is let go untouched. */
export async function openBounded(
  journals: LayerJournals,
  identity: JournalIdentity,
  onProblem: OnJournalProblem,
): Promise<LayerJournal | undefined> {
  const { ended } = wait();
  let isGivenUp = false;
  const tell: OnJournalProblem = (...problem) => {
    if (!isGivenUp) onProblem(...problem);
  };
  const opening = journals.open(identity, tell);
  if (await ended(opening)) {
    const journal = await opening;
    return journal === undefined ? undefined : new BoundedJournal(journal, tell);
  }
  tell(...silence());
  isGivenUp = true;
  void opening.then((late) => late?.close());
  return undefined;
}

class BoundedJournal implements LayerJournal {
  readonly #inner: LayerJournal;
  readonly #onProblem: OnJournalProblem;
  /** Nobody waits for a disk that does not answer already. */
  #hangingCount = 0;
  #giveUpBegin: () => void = () => undefined;

  constructor(inner: LayerJournal, onProblem: OnJournalProblem) {
    this.#inner = inner;
    this.#onProblem = onProblem;
  }

  get found(): LayerJournal['found'] {
    return this.#inner.found;
  }

  async begin(upload: JournalledUpload): Promise<void> {
    const { ended, giveUp } = wait();
    let isUnwanted = false;
    this.#giveUpBegin = () => {
      isUnwanted = true;
      giveUp();
    };
    const hasBegun = await this.#isDone(this.#inner.begin(upload), ended);
    if (!hasBegun && !isUnwanted) this.#onProblem(...silence());
  }

  note(progress: JournalledProgress): void {
    this.#inner.note(progress);
  }

  async discard(): Promise<void> {
    this.#giveUpBegin();
    await this.#isDone(this.#inner.discard());
  }

  async close(): Promise<void> {
    this.#giveUpBegin();
    await this.#isDone(this.#inner.close());
  }

  async #isDone(work: Promise<void>, ended = wait().ended): Promise<boolean> {
    if (this.#hangingCount > 0) return false;
    if (await ended(work)) return true;
    this.#hangingCount += 1;
    void work.then(() => {
      this.#hangingCount -= 1;
    });
    return false;
  }
}

/** One wait, which ends with the work, after its time, or when it is given up; then no timer is left. */
function wait(): {
  readonly ended: (work: Promise<unknown>) => Promise<boolean>;
  readonly giveUp: () => void;
} {
  let giveUp = (): void => undefined;
  const given = new Promise<false>((resolve) => {
    giveUp = () => resolve(false);
  });
  return {
    giveUp: () => giveUp(),
    ended: async (work) => {
      const timer = setTimeout(giveUp, JOURNAL_WAIT_MS_MAX);
      try {
        return await Promise.race([work.then(() => true), given]);
      } finally {
        clearTimeout(timer);
      }
    },
  };
}

function silence(): Parameters<OnJournalProblem> {
  const message =
    `the journal could not be written or read within ${JOURNAL_WAIT_MS_MAX} ms, so the layer could not ` +
    'be resumed from here on; see whether the disk of the resume directory answers';
  return ['unwritable', message];
}
