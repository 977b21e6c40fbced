import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { RegistryClient } from '../../src/registry/registry-client.ts';
import type { Digest } from '../../src/digest.ts';
import { isImageType } from '../../src/image/media-type.ts';
import { type Corpus, readBlob, sizeOfBlob, summaryOf } from './corpus.ts';
import { makeCorpus } from './corpus-maker.ts';
import { CorpusRegistry, type CorpusRegistryOptions } from './corpus-registry.ts';

const SMALL = { imageCount: 60, repositoryCount: 5, layerSizeMaxBytes: 20_000, referrerShare: 0.3 };
const { signal } = new AbortController();

describe('the corpus', () => {
  test('is the same for the same seed, and another for another', () => {
    const digestsOf = ({ repositories }: Corpus): string[] =>
      repositories.flatMap(({ tags }) => [...tags].flat());
    expect(digestsOf(makeCorpus(SMALL))).toEqual(digestsOf(makeCorpus(SMALL)));
    expect(digestsOf(makeCorpus({ ...SMALL, seed: 2 }))).not.toEqual(digestsOf(makeCorpus(SMALL)));
  });

  test('has the bytes that its digests name, from any position on', () => {
    const corpus = makeCorpus(SMALL);
    for (const digest of corpus.blobs.keys()) {
      const whole = Buffer.concat([...(readBlob(corpus, digest)?.pieces ?? [])]);
      expect(`sha256:${createHash('sha256').update(whole).digest('hex')}`).toBe(digest);
      const firstByte = Math.floor(whole.length / 3);
      const rest = Buffer.concat([...(readBlob(corpus, digest, firstByte)?.pieces ?? [])]);
      expect(rest.equals(whole.subarray(firstByte))).toBe(true);
    }
  });

  test('has indexes, referrers, both families, shared layers and several tags of an image', () => {
    const corpus = makeCorpus();
    const { tagCount, mountableCount, blobCount } = summaryOf(corpus);
    const manifests = corpus.repositories.flatMap((one) => [...one.manifests.values()]);
    expect(tagCount).toBeGreaterThan(1000);
    expect(corpus.repositories).toHaveLength(50);
    expect(mountableCount).toBeGreaterThan(200);
    expect(blobCount).toBeGreaterThan(2000);
    expect(manifests.filter(({ children }) => children.length === 3).length).toBeGreaterThan(20);
    expect(manifests.filter(({ subject }) => subject !== undefined).length).toBeGreaterThan(80);
    expect(new Set(manifests.map(({ mediaType }) => mediaType)).size).toBe(4);
  });
});

describe('the registry of a corpus', () => {
  test('gives a client of the protocol every tag, manifest, referrer and blob', async () => {
    const corpus = makeCorpus(SMALL);
    const login = { username: 'somebody', password: 'secret' };
    await using source = await startWith(corpus, { auth: 'bearer', login, pageSize: 3 });
    for (const { name, tags } of corpus.repositories) {
      const listed: string[] = [];
      for await (const page of source.client.listTags(name, {}, signal)) listed.push(...page);
      expect(listed).toEqual([...tags.keys()]);
    }
    const [repository] = corpus.repositories;
    if (repository === undefined) throw new Error('a corpus without repositories');
    const { name, manifests, tags, blobs } = repository;
    for (const [tag, digest] of tags) {
      const manifest = await source.client.getManifest(name, tag, signal);
      expect(manifest).toMatchObject({
        digest,
        mediaType: manifests.get(digest)?.mediaType,
      });
    }
    for (const { subject, digest } of manifests.values()) {
      if (subject === undefined) continue;
      const referrers = await source.client.referrers(name, subject, signal);
      expect(referrers.map((one) => one.digest)).toContain(digest);
    }
    for (const digest of blobs) expect(await source.digestOf(name, digest)).toBe(digest);
    expect(source.registry.tokenCount).toBe(corpus.repositories.length);
  });

  test('is asked what its tags are over connections that are kept', async () => {
    const corpus = makeCorpus(SMALL);
    await using source = await startWith(corpus);
    for (const { name, tags } of corpus.repositories) {
      for (const [tag, digest] of tags) {
        const head = await source.client.headManifest(name, tag, signal);
        expect(head?.digest).toBe(digest);
      }
    }
    expect(source.registry.connectionsMade).toBeLessThanOrEqual(2);
  });

  test('drops a download, which is gone on with where it ended', async () => {
    await using source = await startWith(makeCorpus(SMALL));
    const { name, digest, sizeBytes } = source.largestBlob();
    source.registry.addFaults([
      { on: 'blob', reference: digest, action: { kind: 'drop', afterBytes: 1000 } },
    ]);
    expect(await source.digestOf(name, digest)).toBe(digest);
    const seen = source.registry.requests.filter(({ kind }) => kind === 'blob');
    expect(seen.map(({ range }) => range)).toEqual([undefined, 'bytes=1000-']);
    expect(seen.map(({ sentBytes }) => sentBytes)).toEqual([1000, sizeBytes - 1000]);
  });

  test('sends other bytes than the digest says, and drips', async () => {
    await using source = await startWith(makeCorpus(SMALL));
    const { name, digest } = source.largestBlob();
    const on = { on: 'blob', reference: digest } as const;
    source.registry.addFaults([
      { ...on, action: { kind: 'wrong-bytes' } },
      { ...on, nth: 2, action: { kind: 'drip', pieceBytes: 5000, pauseMs: 1 } },
    ]);
    expect(await source.digestOf(name, digest)).not.toBe(digest);
    expect(await source.digestOf(name, digest)).toBe(digest);
  });

  test('refuses pulls beyond its budget until the window has passed', async () => {
    let nowMs = 0;
    const budget = { limit: 2, windowSeconds: 600 };
    await using source = await startWith(makeCorpus(SMALL), { budget, clock: () => nowMs });
    const { name, tag } = source.anyTag();
    const url = `http://${source.registry.host}/v2/${name}/manifests/${tag}`;
    const ask = async (method: string): Promise<(string | number | null)[]> => {
      const { status, headers } = await fetch(url, { method });
      return [status, headers.get('ratelimit-remaining'), headers.get('retry-after')];
    };
    expect(await ask('GET')).toEqual([200, '1;w=600', null]);
    expect(await ask('HEAD')).toEqual([200, '1;w=600', null]);
    expect(await ask('GET')).toEqual([200, '0;w=600', null]);
    nowMs = 1000;
    expect(await ask('GET')).toEqual([429, '0;w=600', '599']);
    nowMs = 600_000;
    expect(await ask('GET')).toEqual([200, '1;w=600', null]);
  });

  test('moves a tag and removes a manifest in mid-run', async () => {
    const corpus = makeCorpus(SMALL);
    await using source = await startWith(corpus);
    const { name, tag } = source.anyTag();
    const tags = corpus.repositories[0]?.tags ?? new Map<string, Digest>();
    const other = [...tags.values()].find((digest) => digest !== tags.get(tag)) ?? '';
    source.registry.change({ repository: name, change: { kind: 'move-tag', tag, digest: other } });
    const head = await source.client.headManifest(name, tag, signal);
    expect(head?.digest).toBe(other);
    const change = { kind: 'remove-manifest', digest: other } as const;
    source.registry.change({ repository: name, change });
    expect(await source.client.headManifest(name, tag, signal)).toBeUndefined();
  });

  test('lets tags stand in for the referrers API', async () => {
    const corpus = makeCorpus(SMALL);
    await using source = await startWith(corpus, { referrers: 'tags' });
    const repository = corpus.repositories.find(({ manifests }) =>
      [...manifests.values()].some(({ subject }) => subject !== undefined),
    );
    const signature = [...(repository?.manifests.values() ?? [])].find(
      ({ subject, mediaType }) => subject !== undefined && isImageType(mediaType),
    );
    const subject = signature?.subject ?? 'sha256:';
    const found = await source.client.referrers(repository?.name ?? '', subject, signal);
    expect(found.map(({ digest }) => digest)).toContain(signature?.digest);
  });
});

async function startWith(corpus: Corpus, options: CorpusRegistryOptions = {}) {
  const registry = await CorpusRegistry.start(corpus, options);
  const { login } = options;
  const client = new RegistryClient(registry.host, {
    proxy: 'none',
    ...(login !== undefined && { credentials: login }),
  });
  return {
    registry,
    client,
    anyTag: () => {
      const [repository] = corpus.repositories;
      const [tag = ''] = repository?.tags.keys() ?? [];
      return { name: repository?.name ?? '', tag };
    },
    largestBlob: () => {
      const [repository] = corpus.repositories;
      const [digest] = [...(repository?.blobs ?? [])].toSorted(
        (left, right) => sizeOfBlob(corpus, right) - sizeOfBlob(corpus, left),
      );
      if (repository === undefined || digest === undefined) throw new Error('an empty corpus');
      return { name: repository.name, digest, sizeBytes: sizeOfBlob(corpus, digest) };
    },
    digestOf: async (repository: string, digest: Digest) => {
      const sizeBytes = sizeOfBlob(corpus, digest);
      const blob = await client.openBlob(repository, { digest, sizeBytes }, signal);
      const hash = createHash('sha256');
      const piece = new Uint8Array(8192);
      for (;;) {
        const count = await blob.read(piece, signal);
        if (count === 0) break;
        hash.update(piece.subarray(0, count));
      }
      blob.close();
      return `sha256:${hash.digest('hex')}`;
    },
    [Symbol.asyncDispose]: async () => {
      await client.close();
      await registry[Symbol.asyncDispose]();
    },
  };
}
