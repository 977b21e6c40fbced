import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { JOURNAL_AGE_MAX_MS, JournalFolder } from '../../src/journal/journal-folder.ts';
import type {
  JournalIdentity,
  JournalledUpload,
  JournalProblem,
} from '../../src/layer/layer-journal.ts';
import { temporaryFolder } from './temporary-folder.ts';

const LAYER: JournalIdentity = { repository: 'team/app', digest: `sha256:${'ab'.repeat(32)}` };
const UPLOAD: JournalledUpload = {
  uploadId: 'one',
  partSizeBytes: 10,
  sizeBytes: 100,
  file: undefined,
};
const PROGRESS = { endByte: 10, partCount: 1, savedHash: new Uint8Array([1, 2, 3]) };

function folderAt(path: string, region = 'eu-central-1') {
  const problems: JournalProblem[] = [];
  const folder = new JournalFolder({ path, registry: [undefined, region, undefined] });
  return {
    problems,
    open: (identity: JournalIdentity = LAYER) =>
      folder.open(identity, (problem) => problems.push(problem)),
  };
}

/** As an upload does that gets as far as its first part. */
async function leaveJournal(path: string, identity: JournalIdentity = LAYER): Promise<string> {
  const journal = await folderAt(path).open(identity);
  await journal?.begin(UPLOAD);
  journal?.note(PROGRESS);
  await journal?.close();
  const [name = ''] = (await readdir(path)).filter((file) => file.endsWith('.journal'));
  return join(path, name);
}

describe('a journal in its folder', () => {
  test('is found by the next process, and goes on', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'state', 'longshore');
    await leaveJournal(path);
    const next = folderAt(path);
    const journal = await next.open();
    expect(journal?.found).toEqual({ ...UPLOAD, ...PROGRESS });
    const further = { endByte: 20, partCount: 2, savedHash: undefined };
    journal?.note(further);
    await journal?.close();
    const last = await next.open();
    expect(last?.found).toEqual({ ...UPLOAD, ...further });
    await last?.begin({ ...UPLOAD, uploadId: 'two' });
    await last?.close();
    const fresh = await next.open();
    expect(fresh?.found).toMatchObject({ uploadId: 'two', endByte: 0, partCount: 0 });
    await fresh?.discard();
    await fresh?.close();
    expect(await readdir(path)).toEqual([]);
    expect(next.problems).toEqual([]);
  });

  test('belongs to one layer of one repository of one registry', async () => {
    await using folder = await temporaryFolder();
    await leaveJournal(folder.path);
    const others: JournalIdentity[] = [
      { repository: 'team/other', digest: `sha256:${'ab'.repeat(32)}` },
      { repository: 'team/app', digest: `sha256:${'cd'.repeat(32)}` },
      { repository: 'team/app', path: '/layer.tar', offsetBytes: 0, sizeBytes: 100 },
    ];
    for (const other of others) {
      const journal = await folderAt(folder.path).open(other);
      expect(journal?.found).toBe(undefined);
      await journal?.close();
    }
    const elsewhere = await folderAt(folder.path, 'us-east-1').open();
    expect(elsewhere?.found).toBe(undefined);
    await elsewhere?.close();
  });

  test('can be read by its owner alone', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'longshore');
    const journal = await leaveJournal(path);
    expect((await stat(path)).mode & 0o777).toBe(0o700);
    expect((await stat(journal)).mode & 0o777).toBe(0o600);
  });

  test('is had by one upload at a time', async () => {
    await using folder = await temporaryFolder();
    const first = await folderAt(folder.path).open();
    const second = folderAt(folder.path);
    expect(await second.open()).toBe(undefined);
    expect(second.problems).toEqual(['in-use']);
    await first?.close();
    const journal = await second.open();
    expect(journal).toBeDefined();
    await journal?.close();
  });

  test('goes on from its last whole line, whatever stands behind it', async () => {
    await using folder = await temporaryFolder();
    const path = await leaveJournal(folder.path);
    const whole = await readFile(path);
    await writeFile(path, Buffer.concat([whole, Buffer.from('{"endByte":9')]));
    const torn = await folderAt(folder.path).open();
    expect(torn?.found).toMatchObject(PROGRESS);
    torn?.note({ endByte: 30, partCount: 3, savedHash: undefined });
    await torn?.close();
    const next = await folderAt(folder.path).open();
    expect(next?.found).toMatchObject({ endByte: 30 });
    await next?.close();
  });

  test('of another version is left alone', async () => {
    await using folder = await temporaryFolder();
    const path = await leaveJournal(folder.path);
    const json = JSON.stringify({ journal: 'longshore-layer', version: 2, kept: 'as it is' });
    const checksum = createHash('sha256').update(`\n${json}`).digest('hex').slice(0, 32);
    const text = `${checksum} ${json}\n`;
    await writeFile(path, text);
    const later = folderAt(folder.path);
    expect(await later.open()).toBe(undefined);
    expect(later.problems).toEqual(['unknown-version']);
    expect(await readFile(path, 'utf8')).toBe(text);
    expect(await readdir(folder.path)).toHaveLength(1);
  });

  test('is closed only when its begin, which nobody waits for, has come to its end', async () => {
    await using folder = await temporaryFolder();
    const next = folderAt(folder.path);
    const journal = await next.open();
    let hasBegun = false;
    void journal?.begin(UPLOAD).then(() => {
      hasBegun = true;
    });
    await journal?.close();
    expect(hasBegun).toBe(true);
    const again = await next.open();
    void again?.begin({ ...UPLOAD, uploadId: 'two' });
    await again?.discard();
    await again?.close();
    expect((await readdir(folder.path)).filter((file) => file.endsWith('.journal'))).toEqual([]);
  });

  test('does one thing after the other, though nobody waits', async () => {
    await using folder = await temporaryFolder();
    const next = folderAt(folder.path);
    const journal = await next.open();
    void journal?.begin(UPLOAD);
    void journal?.discard();
    void journal?.begin({ ...UPLOAD, uploadId: 'two' });
    await journal?.close();
    const again = await next.open();
    expect(again?.found).toMatchObject({ uploadId: 'two' });
    await again?.close();
    expect(next.problems).toEqual([]);
  });

  test('that cannot be read gives way to a new one', async () => {
    await using folder = await temporaryFolder();
    const path = await leaveJournal(folder.path);
    await writeFile(path, 'nothing of ours\n');
    const next = folderAt(folder.path);
    const journal = await next.open();
    expect(next.problems).toEqual(['damaged']);
    expect(journal?.found).toBe(undefined);
    await journal?.begin(UPLOAD);
    await journal?.close();
    const again = await next.open();
    expect(again?.found).toMatchObject({ uploadId: 'one', endByte: 0 });
    await again?.close();
  });
});

describe('a folder', () => {
  test('that cannot be had is told of, and nothing fails', async () => {
    await using folder = await temporaryFolder();
    const file = join(folder.path, 'file');
    await writeFile(file, '');
    const broken = folderAt(join(file, 'longshore'));
    expect(await broken.open()).toBe(undefined);
    expect(broken.problems).toEqual(['unwritable']);
  });

  test.skipIf(process.platform === 'win32').each(['before it begins', 'after it began'])(
    'that somebody has replaced by a link %s is not written to',
    async (when) => {
      await using folder = await temporaryFolder();
      const path = await leaveJournal(folder.path);
      const other = join(folder.path, 'other');
      const text = when === 'after it began' ? await readFile(path, 'utf8') : 'a file of somebody';
      await writeFile(other, text);
      await rm(path);
      await symlink(other, path);
      const next = folderAt(folder.path);
      const journal = await next.open();
      await journal?.begin(UPLOAD);
      await journal?.close();
      expect(next.problems).toContain('unwritable');
      expect(await readFile(other, 'utf8')).toBe(text);
    },
  );

  test('that is lost while a layer begins is told of, and nothing fails', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'longshore');
    const lost = folderAt(path);
    const journal = await lost.open();
    await rm(path, { recursive: true });
    await journal?.begin(UPLOAD);
    journal?.note(PROGRESS);
    await journal?.close();
    expect(lost.problems).toEqual(['unwritable']);
  });

  test('loses what is older than uploads live, and nothing else', async () => {
    await using folder = await temporaryFolder();
    const path = await leaveJournal(folder.path);
    const other = { repository: 'team/other', digest: LAYER.digest } as JournalIdentity;
    const young = folderAt(folder.path);
    const held = await young.open(other);
    await held?.begin(UPLOAD);
    const old = new Date(Date.now() - JOURNAL_AGE_MAX_MS - 60_000);
    await utimes(path, old, old);
    const foreign = join(folder.path, 'README');
    await writeFile(foreign, 'mine');
    await mkdir(join(folder.path, 'sub'));
    for (const name of await readdir(folder.path)) {
      if (!name.endsWith('.journal')) await utimes(join(folder.path, name), old, old);
    }
    const before = await readdir(folder.path);
    const next = await folderAt(folder.path).open();
    expect(next?.found).toBe(undefined);
    await next?.close();
    const after = await readdir(folder.path);
    expect(before.filter((name) => !after.includes(name))).toEqual([basename(path)]);
    await held?.close();
  });

  test.skipIf(process.platform === 'win32')(
    'loses what is old though a file in it cannot be looked at',
    async () => {
      await using folder = await temporaryFolder();
      const path = await leaveJournal(folder.path);
      const old = new Date(Date.now() - JOURNAL_AGE_MAX_MS - 60_000);
      await utimes(path, old, old);
      // Wherever they come in the folder's order: links to nowhere, which no stat finds.
      for (let index = 0; index < 40; index += 1) {
        const name = createHash('sha256').update(String(index)).digest('hex');
        await symlink(join(folder.path, 'nowhere'), join(folder.path, `${name}.journal`));
      }
      const other = { repository: 'team/other', digest: LAYER.digest } as JournalIdentity;
      const journal = await folderAt(folder.path).open(other);
      await journal?.close();
      expect(await readdir(folder.path)).not.toContain(basename(path));
    },
  );
});
