// A program of its own, for what belongs to a whole process: its environment, its warnings, its end.
// Uploads one layer and says on standard output how that went; nothing ends the process by force.

import { bytesSource, createUploader, LongshoreError } from '../../../src/index.ts';
import type { UploaderOptions } from '../../../src/index.ts';

const { UPLOADER_OPTIONS = '{}', REPOSITORY = 'team/app', ON_EVENT_THROWS } = process.env;
const options = JSON.parse(UPLOADER_OPTIONS) as UploaderOptions;

const before = process.getActiveResourcesInfo();
const uploader = createUploader({ workersMax: 1, attemptsMax: 1, ...options });
const outcome = await uploader
  .uploadLayer(
    { repository: REPOSITORY, source: bytesSource(new Uint8Array(1000).fill(7)) },
    {
      onEvent: ({ type }) => {
        if (ON_EVENT_THROWS !== undefined) throw new Error(`no interest in ${type}`);
      },
    },
  )
  .then(
    (receipt) => ({ receipt }),
    (error: unknown) => {
      if (!LongshoreError.is(error)) throw error;
      const { code, message, details } = error;
      return { failure: { code, message, details } };
    },
  );
await uploader.close();
// What is being closed is gone after some turns, or never.
let after = process.getActiveResourcesInfo();
for (let turn = 0; turn < 1000 && after.length > before.length; turn += 1) {
  await new Promise((resolve) => setImmediate(resolve));
  after = process.getActiveResourcesInfo();
}
process.stdout.write(JSON.stringify({ ...outcome, before, after }));
