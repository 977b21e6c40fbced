// Uploads layers side by side, in a process of its own, to be killed. Tells what happens, a line each.
import { createReadStream } from 'node:fs';
import { createUploader, fileSource, streamSource } from '../../../dist/src/index.js';

const { uploader: options, repository, layers } = JSON.parse(process.env.TASK);
const tell = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

tell({ type: 'ready' });
const uploader = createUploader(options);
const results = await Promise.allSettled(
  layers.map((layer) =>
    uploader.uploadLayer({ repository, source: sourceOf(layer) }, { onEvent: tell }),
  ),
);
await uploader.close();
function sourceOf({ path, kind, digest }) {
  if (kind === 'stream') return streamSource(createReadStream(path), { digest });
  return fileSource(path, kind === 'file' ? {} : { digest });
}

for (const { reason } of results) if (reason !== undefined) throw reason;
