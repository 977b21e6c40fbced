/** longshore pushing an image from an OCI layout, used as its README says. */

import { createUploader, ociLayoutImage } from 'longshore';
import type { Job, Outcome } from '../harness/protocol.ts';
import { measureContestant } from './measured-run.ts';

async function pushImage({ server, repository, layout = '', options }: Job): Promise<Outcome> {
  await using uploader = createUploader({
    region: server.region,
    endpoint: server.endpoint,
    client: { credentials: server.credentials },
    proxy: 'none',
    ...options,
  });
  const receipt = await uploader.pushImage({
    repository,
    image: ociLayoutImage(layout),
    tags: ['latest'],
  });
  const { callCount, sentBytes, skippedBytes } = receipt;
  return { layerBytes: sentBytes + skippedBytes, digests: [], extra: { callCount, sentBytes } };
}

// longshore loads the AWS SDK with its first call. The clock starts when a contestant has loaded all that it
// needs, the rivals the SDK among it; so it is loaded before the clock here as well.
measureContestant(async (job) => {
  await Promise.all([import('@aws-sdk/client-ecr'), import('@smithy/node-http-handler')]);
  return () => pushImage(job);
});
