/** What an emulator holds, as its own API tells, and what it should hold after a corpus was copied. */

import {
  type ECRClientConfig,
  ECRClient,
  ListImagesCommand,
  PutAccountSettingCommand,
} from '@aws-sdk/client-ecr';
import type { Emulator } from '../../src/emulator/index.ts';
import type { Corpus } from './corpus.ts';

/** Tags and what they point to, by repository. */
export type TagState = Readonly<Record<string, Readonly<Record<string, string>>>>;

const PAGE_SIZE = 1000;

/** The in-process door: no sockets, no pace. */
export function clientOf({ credentials, region, requestHandler }: Emulator): ECRClient {
  const config: ECRClientConfig = { region, credentials, requestHandler, maxAttempts: 1 };
  return new ECRClient(config);
}

export async function allowMounts(emulator: Emulator): Promise<void> {
  const client = clientOf(emulator);
  await client.send(new PutAccountSettingCommand({ name: 'BLOB_MOUNTING', value: 'ENABLED' }));
}

export async function tagsIn(
  emulator: Emulator,
  repositories: readonly string[],
): Promise<TagState> {
  const client = clientOf(emulator);
  const state: Record<string, Record<string, string>> = {};
  for (const repositoryName of repositories) {
    const tags: Record<string, string> = {};
    let nextToken: string | undefined;
    do {
      const page = await client.send(
        new ListImagesCommand({
          repositoryName,
          maxResults: PAGE_SIZE,
          filter: { tagStatus: 'TAGGED' },
          ...(nextToken !== undefined && { nextToken }),
        }),
      );
      for (const { imageTag, imageDigest } of page.imageIds ?? []) {
        if (imageTag !== undefined && imageDigest !== undefined) tags[imageTag] = imageDigest;
      }
      ({ nextToken } = page);
    } while (nextToken !== undefined);
    state[repositoryName] = tags;
  }
  return state;
}

/** @param target the name of a repository in the target */
export function tagsOf(
  corpus: Corpus,
  target: (name: string) => string = (name) => name,
): TagState {
  return Object.fromEntries(
    corpus.repositories.map(({ name, tags }) => [target(name), Object.fromEntries(tags)]),
  );
}

/** Places of blobs in an emulator, and how many different ones there are. */
export function blobPlaces(
  emulator: Emulator,
  repositories: readonly string[],
): { readonly placeCount: number; readonly blobCount: number } {
  const digests = repositories.flatMap((name) => emulator.layers(name).map(({ digest }) => digest));
  return { placeCount: digests.length, blobCount: new Set(digests).size };
}
