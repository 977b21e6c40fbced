/**
 * Uploads many layers from streams that hand over bytes as fast as they can, wanted or not, and prints
 * how much memory that took.
 */

import { Readable } from 'node:stream';
import { createUploader, streamSource } from '../../../src/index.ts';
import type { UploaderOptions } from '../../../src/index.ts';
import { MIB } from '../../../src/limits.ts';

export interface PushedUpload {
  readonly layerCount: number;
  readonly layerBytes: number;
  readonly uploader: UploaderOptions;
}

export interface MemoryPeaks {
  readonly bytesInMemory: number;
  /** Of the whole process, beyond what it had when its threads had run. */
  readonly rssGrowthBytes: number;
  readonly sampleCount: number;
  readonly uploadedCount: number;
  readonly bytesHandedOver: number;
}

const SAMPLE_INTERVAL_MS = 5;
const {
  layerCount,
  layerBytes,
  uploader: options,
} = JSON.parse(process.argv[2] ?? '') as PushedUpload;

// All streams hand over the same piece, again and again: what they hold themselves costs nothing.
const piece = Buffer.alloc(MIB, 'all the same');
let bytesHandedOver = 0;

/** Hands over piece after piece from its first moment on, whatever `push` says. */
function pushingStream(index: number): Readable {
  const stream = new Readable({ read: () => undefined });
  // Layers must differ, or they would be one.
  stream.push(Buffer.from(`layer ${index}`));
  let left = layerBytes;
  const pushOn = (): void => {
    if (stream.destroyed) return;
    if (left <= 0) {
      stream.push(null);
      return;
    }
    stream.push(piece);
    left -= piece.length;
    bytesHandedOver += piece.length;
    setImmediate(pushOn);
  };
  pushOn();
  return stream;
}

const uploader = createUploader(options);
const upload = (index: number) =>
  uploader.uploadLayer({
    repository: 'team/app',
    source: streamSource(pushingStream(index), { label: `layer ${index}` }),
  });
await uploader.uploadLayer({
  repository: 'team/app',
  source: streamSource(Readable.from([Buffer.alloc(6 * MIB, 'first')])),
});
const baselineBytes = process.memoryUsage.rss();
const peaks = { bytesInMemory: 0, rssBytes: 0, sampleCount: 0 };
const sample = (): void => {
  peaks.bytesInMemory = Math.max(peaks.bytesInMemory, uploader.snapshot().bytesInMemory);
  peaks.rssBytes = Math.max(peaks.rssBytes, process.memoryUsage.rss());
  peaks.sampleCount += 1;
};
const sampling = setInterval(sample, SAMPLE_INTERVAL_MS);
const receipts = await Promise.all(Array.from({ length: layerCount }, (_, index) => upload(index)));
clearInterval(sampling);
await uploader.close();
const report: MemoryPeaks = {
  bytesInMemory: peaks.bytesInMemory,
  rssGrowthBytes: peaks.rssBytes - baselineBytes,
  sampleCount: peaks.sampleCount,
  uploadedCount: receipts.filter(({ outcome }) => outcome === 'uploaded').length,
  bytesHandedOver,
};
process.stdout.write(JSON.stringify(report));
