/** Pushes a corpus into a registry over the OCI distribution protocol, fast: many requests at once. */

import pLimit from 'p-limit';
import { Agent, request } from 'undici';
import type { Digest } from '../../src/digest.ts';
import { type Corpus, type CorpusManifest, type CorpusRepository, readBlob } from './corpus.ts';
import { standIns } from './served-repository.ts';

export interface LoadOptions {
  /** Where tokens are given out, and what they cost. Default: the registry asks for none. */
  readonly token?: {
    readonly realm: string;
    readonly service: string;
    /** The header's value. */
    readonly authorization: string;
  };
  /** Also pushes the tags that stand in for the referrers API. Default false. */
  readonly standIns?: boolean;
}

const REPOSITORIES_AT_ONCE = 4;
const BLOBS_AT_ONCE = 8;

/** @throws Error with what the registry said */
export async function loadCorpus(
  corpus: Corpus,
  host: string,
  options: LoadOptions = {},
): Promise<void> {
  const agent = new Agent({ connections: REPOSITORIES_AT_ONCE * BLOBS_AT_ONCE });
  const limit = pLimit(REPOSITORIES_AT_ONCE);
  try {
    await Promise.all(
      corpus.repositories.map((repository) =>
        limit(() => new RepositoryLoad(corpus, repository, host, options, agent).run()),
      ),
    );
  } finally {
    await agent.close();
  }
}

class RepositoryLoad {
  readonly #corpus: Corpus;
  readonly #repository: CorpusRepository;
  readonly #base: string;
  readonly #options: LoadOptions;
  readonly #agent: Agent;
  #authorization: Record<string, string> = {};

  constructor(
    corpus: Corpus,
    repository: CorpusRepository,
    host: string,
    options: LoadOptions,
    agent: Agent,
  ) {
    this.#corpus = corpus;
    this.#repository = repository;
    this.#base = `http://${host}/v2/${repository.name}`;
    this.#options = options;
    this.#agent = agent;
  }

  async run(): Promise<void> {
    await this.#authorize();
    const { blobs, manifests, tags } = this.#repository;
    const limit = pLimit(BLOBS_AT_ONCE);
    await Promise.all([...blobs].map((digest) => limit(() => this.#putBlob(digest))));
    // Their order is children first.
    for (const manifest of manifests.values()) await this.#putManifest(manifest, manifest.digest);
    await Promise.all(
      [...tags].map(([tag, digest]) =>
        limit(async () => {
          const manifest = manifests.get(digest);
          if (manifest !== undefined) await this.#putManifest(manifest, tag);
        }),
      ),
    );
    if (this.#options.standIns !== true) return;
    for (const { tag, manifest } of standIns(this.#repository)) {
      await this.#putManifest(manifest, tag);
    }
  }

  async #authorize(): Promise<void> {
    const { token } = this.#options;
    if (token === undefined) return;
    const url = new URL(token.realm);
    url.searchParams.set('service', token.service);
    url.searchParams.set('scope', `repository:${this.#repository.name}:pull,push`);
    const { authorization } = token;
    const { body } = await request(url, { dispatcher: this.#agent, headers: { authorization } });
    const reply = (await body.json()) as { readonly access_token: string };
    this.#authorization = { authorization: `Bearer ${reply.access_token}` };
  }

  async #putBlob(digest: Digest): Promise<void> {
    const begun = await this.#send('POST', `${this.#base}/blobs/uploads/`, 202);
    const location = new URL(String(begun['location']), this.#base);
    location.searchParams.set('digest', digest);
    const bytes = Buffer.concat([...(readBlob(this.#corpus, digest)?.pieces ?? [])]);
    await this.#send('PUT', location, 201, bytes, 'application/octet-stream');
  }

  async #putManifest({ bytes, mediaType }: CorpusManifest, reference: string): Promise<void> {
    await this.#send('PUT', `${this.#base}/manifests/${reference}`, 201, bytes, mediaType);
  }

  async #send(
    method: 'POST' | 'PUT',
    url: string | URL,
    expected: number,
    body?: Buffer,
    mediaType?: string,
  ): Promise<Record<string, unknown>> {
    const reply = await request(url, {
      dispatcher: this.#agent,
      method,
      headers: {
        ...this.#authorization,
        ...(mediaType !== undefined && { 'content-type': mediaType }),
      },
      ...(body !== undefined && { body }),
    });
    const text = await reply.body.text();
    if (reply.statusCode === expected) return reply.headers;
    throw new Error(`${method} ${String(url)} was answered ${reply.statusCode}: ${text}`);
  }
}
