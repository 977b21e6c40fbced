/** longshore, used as its README says. */

import { createUploader, fileSource } from 'longshore';
import type { Job, Outcome } from '../harness/protocol.ts';
import { measureContestant } from './measured-run.ts';

async function uploadLayers(job: Job): Promise<Outcome> {
  const { server, repository } = job;
  const createdAtMs = Date.now();
  const windows: number[] = [];
  await using uploader = createUploader({
    region: server.region,
    endpoint: server.endpoint,
    client: { credentials: server.credentials },
    proxy: 'none',
    ...(server.certificateAuthorities !== undefined && {
      certificateAuthorities: server.certificateAuthorities,
    }),
    ...(job.partSizeBytes !== undefined && { partSizeBytes: job.partSizeBytes }),
    ...job.options,
  });
  const receipts = await Promise.all(
    job.layers.map(({ path }) =>
      // The same task as the rival's: the digest is not known beforehand and computed on the way.
      uploader.uploadLayer(
        { repository, source: fileSource(path), checkFirst: false },
        {
          onEvent: (event) => {
            if (event.type === 'window-changed') windows.push(event.partsInFlight);
          },
        },
      ),
    ),
  );
  const layerBytes = receipts.reduce((sum, receipt) => sum + receipt.sizeBytes, 0);
  const sentBytes = receipts.reduce((sum, receipt) => sum + receipt.sentBytes, 0);
  const windowAtEnd = windows.at(-1);
  return {
    layerBytes,
    digests: receipts.map(({ digest }) => digest),
    extra: {
      resentBytes: sentBytes - layerBytes,
      createdAtMs,
      ...(windowAtEnd !== undefined && { windowAtEnd, windowMost: Math.max(...windows) }),
    },
  };
}

// longshore loads the AWS SDK with its first call. The clock starts when a contestant has loaded all that it
// needs, the rivals the SDK among it; so it is loaded before the clock here as well.
measureContestant(async (job) => {
  await Promise.all([import('@aws-sdk/client-ecr'), import('@smithy/node-http-handler')]);
  return () => uploadLayers(job);
});
