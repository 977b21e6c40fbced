/** What refers to an image: signatures, attestations, bills of materials. */

import { isDigest } from '../../digest.ts';
import { REFERRERS_PAGE_SIZE_MAX } from '../emulator-limits.ts';
import { invalidParameter } from '../exception.ts';
import { operation } from '../operation.ts';
import type { OperationHandler } from '../operation.ts';
import { pageOf } from '../page.ts';
import type { RepositoryReference } from '../registry-state.ts';
import type { StoredImage } from '../repository-state.ts';

interface ReferrersInput extends RepositoryReference {
  readonly subjectId: { readonly imageDigest: string };
  readonly filter?: {
    readonly artifactTypes?: readonly string[];
    readonly artifactStatus?: string;
  };
  readonly nextToken?: string;
  readonly maxResults?: number;
}

export const listImageReferrers: OperationHandler = operation<ReferrersInput>(
  (input, { registry }) => {
    const repository = registry.repository(input);
    const { imageDigest } = input.subjectId;
    if (!isDigest(imageDigest)) {
      throw invalidParameter('subjectId.imageDigest', 'must be a sha256 digest');
    }
    const { artifactStatus = 'ACTIVE', artifactTypes = [] } = input.filter ?? {};
    // No image of the emulator is ever archived.
    const isShown = artifactStatus === 'ACTIVE' || artifactStatus === 'ANY';
    const referrers = [...repository.images.values()]
      .filter(({ manifest }) => isShown && manifest.subjectDigest === imageDigest)
      .filter(
        (image) =>
          artifactTypes.length === 0 || artifactTypes.includes(artifactTypeOf(image) ?? ''),
      )
      .toSorted((left, right) => (left.digest < right.digest ? -1 : 1));
    const { maxResults = REFERRERS_PAGE_SIZE_MAX, nextToken } = input;
    const page = pageOf(referrers, ({ digest }) => digest, {
      maxResults,
      ...(nextToken === undefined ? {} : { nextToken }),
    });
    return {
      referrers: page.items.map((image) => ({
        digest: image.digest,
        mediaType: image.manifest.mediaType,
        artifactType: artifactTypeOf(image),
        size: Buffer.byteLength(image.text),
        annotations: image.manifest.annotations,
        artifactStatus: 'ACTIVE',
      })),
      nextToken: page.nextToken,
    };
  },
);

// An image without the member is of the type of its config (distribution specification 1.1).
function artifactTypeOf({ manifest }: StoredImage): string | undefined {
  return manifest.artifactType ?? manifest.blobs[0]?.mediaType;
}
