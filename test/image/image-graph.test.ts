import { expect, test } from 'vitest';
import type { OpenImage } from '../../src/index.ts';
import { readGraph } from '../../src/image/image-graph.ts';
import { makeImage, makeIndex, type MadeImage, memoryImage } from './memory-image.ts';

const { signal } = new AbortController();
const OPTIONS = { source: 'memory', platforms: [], referrers: false };

function open(image: MadeImage): Promise<OpenImage> {
  return memoryImage(image).open(undefined as never, signal);
}

test('nothing is read any more once one manifest could not be', async () => {
  const children = Array.from({ length: 200 }, (_, index) =>
    makeImage({ layers: [Buffer.from(`layer ${index}`)] }),
  );
  const image = await open(makeIndex(children));
  let readCount = 0;
  const failing: OpenImage = {
    ...image,
    readManifest: async (descriptor, readSignal) => {
      readCount += 1;
      if (readCount === 10) throw new Error('torn cable');
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
      return image.readManifest(descriptor, readSignal);
    },
  };
  await expect(readGraph(failing, OPTIONS, signal)).rejects.toMatchObject({
    code: 'E_SOURCE_UNREADABLE',
  });
  const countAtEnd = readCount;
  expect(countAtEnd).toBeLessThan(20);
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
  expect(readCount).toBe(countAtEnd);
});

test('two descriptors of one manifest must not contradict each other', async () => {
  const child = makeImage({ layers: [Buffer.from('layer')] });
  const other = {
    ...child,
    descriptor: {
      ...child.descriptor,
      mediaType: 'application/vnd.docker.distribution.manifest.v2+json',
    },
  };
  const image = await open(makeIndex([child, other]));
  await expect(readGraph(image, OPTIONS, signal)).rejects.toMatchObject({
    code: 'E_IMAGE_INVALID',
  });
});

test('a platform that a single image does not tell of is not taken for granted', async () => {
  const image = await open(makeImage({ layers: [Buffer.from('layer')] }));
  const wanted = { ...OPTIONS, platforms: ['linux/arm64'] };
  await expect(readGraph(image, wanted, signal)).rejects.toMatchObject({
    code: 'E_IMAGE_NOT_FOUND',
  });
  const telling: OpenImage = {
    ...image,
    platformOf: () => Promise.resolve({ os: 'linux', architecture: 'arm64', variant: 'v8' }),
  };
  const graph = await readGraph(telling, wanted, signal);
  expect(graph.root.manifest.digest).toBe(image.root.digest);
});
