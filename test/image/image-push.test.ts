import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Descriptor, Digest, ImageEvent, LayerReceipt } from '../../src/index.ts';
import type { ImageContext } from '../../src/image/image-context.ts';
import { readGraph } from '../../src/image/image-graph.ts';
import { ImagePush } from '../../src/image/image-push.ts';
import type { OpenImage } from '../../src/image/image-source.ts';
import { planPush } from '../../src/image/push-plan.ts';
import { EventSink } from '../../src/layer/event-sink.ts';
import type { LayerSource } from '../../src/layer/layer-source.ts';
import { FakeRegistry } from './fake-registry.ts';
import { digestOf, makeImage, makeIndex, type MadeImage, memoryImage } from './memory-image.ts';

const { signal } = new AbortController();

interface Rig {
  readonly registry: FakeRegistry;
  readonly context: ImageContext;
  readonly uploads: Digest[];
  readonly events: ImageEvent[];
}

/** @param afterUpload told of each blob that has arrived */
function createRig(afterUpload: (digest: Digest, rig: Rig) => void = () => undefined): Rig {
  const registry = new FakeRegistry();
  const uploads: Digest[] = [];
  const events: ImageEvent[] = [];
  const uploadBlob = async (
    source: LayerSource,
    { digest }: Pick<Descriptor, 'digest'>,
  ): Promise<LayerReceipt> => {
    const opened = await source.open(signal);
    uploads.push(digest);
    registry.layers.add(digest);
    afterUpload(digest, rig);
    return {
      repository: 'r',
      source: source.label,
      digest,
      sizeBytes: opened.sizeBytes ?? 0,
      outcome: 'uploaded',
      partCount: 1,
      sentBytes: opened.sizeBytes ?? 0,
      resumedBytes: 0,
      durationMs: 1,
    };
  };
  const context: ImageContext = {
    name: { repository: 'r', image: 'memory', imageId: 1 },
    registry,
    retry: { attemptsMax: 2, delayMs: 1, delayMsMax: 1 },
    createRepository: false,
    partSizeBytes: 1000,
    tally: new Map(),
    sink: new EventSink((event: ImageEvent) => events.push(event)),
    uploadBlob,
  };
  const rig = { registry, context, uploads, events };
  return rig;
}

async function open(image: MadeImage): Promise<OpenImage> {
  return memoryImage(image).open(undefined as never, signal);
}

async function push(rig: Rig, image: MadeImage, tags: readonly string[] = []) {
  const opened = await open(image);
  const options = { source: 'memory', platforms: [], referrers: false };
  const graph = await readGraph(opened, options, signal);
  const plan = await planPush(graph, tags, rig.context, signal);
  return new ImagePush(opened, graph, plan, rig.context, signal).run(performance.now());
}

/** Images and indexes of images, nested, that share layers. */
const anyImage: fc.Arbitrary<MadeImage> = fc.letrec<{ node: MadeImage }>((tie) => ({
  node: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc
      .array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 4 })
      .map((seeds) => makeImage({ layers: seeds.map((seed) => Buffer.alloc(seed, seed)) })),
    fc.array(tie('node'), { minLength: 0, maxLength: 3 }).map((children) => makeIndex(children)),
  ),
})).node;

describe('a push', () => {
  test('of any graph puts all of it, children first, and each blob once', async () => {
    await fc.assert(
      fc.asyncProperty(anyImage, async (image) => {
        const rig = createRig();
        const receipt = await push(rig, image, ['t']);
        expect(rig.registry.tags.get('t')).toBe(image.descriptor.digest);
        expect(new Set(rig.uploads).size).toBe(rig.uploads.length);
        expect(new Set([...rig.registry.puts, ...rig.uploads])).toEqual(
          new Set(image.content.keys()),
        );
        expect(receipt.sentBytes).toBe(
          rig.uploads.reduce((sum, digest) => sum + (image.content.get(digest)?.length ?? 0), 0),
        );
        const again = await push(rig, image, ['t']);
        expect(again.outcome).toBe('already-present');
      }),
      { numRuns: 60 },
    );
  });

  test('asks for availability in batches of 100', async () => {
    const rig = createRig();
    const layers = Array.from({ length: 250 }, (_, index) => Buffer.from(`layer ${index}`));
    await push(rig, makeImage({ layers }));
    const checks = rig.registry.calls.filter((call) => call === 'BatchCheckLayerAvailability');
    expect(checks).toHaveLength(3);
  });

  test('sends a layer again that was completed and then is gone', async () => {
    const layer = Buffer.from('comes and goes');
    let lossCount = 1;
    const rig = createRig((digest, { registry }) => {
      if (digest !== digestOf(layer) || lossCount === 0) return;
      lossCount -= 1;
      registry.layers.delete(digest);
    });
    const receipt = await push(rig, makeImage({ layers: [layer, Buffer.from('stays')] }));
    expect(rig.uploads.filter((digest) => digest === digestOf(layer))).toHaveLength(2);
    expect(rig.uploads).toHaveLength(4);
    const blob = receipt.blobs.find(({ digest }) => digest === digestOf(layer));
    expect(blob?.sentBytes).toBe(2 * layer.length);
    expect(rig.events.filter(({ type }) => type === 'layers-not-visible')).toHaveLength(3);
  });

  test('waits for layers that ECR does not see yet, and sends none of them again', async () => {
    const rig = createRig();
    rig.registry.lagCount = 4;
    await push(rig, makeImage({ layers: [Buffer.from('late')] }));
    expect(rig.uploads).toHaveLength(2);
  });

  test('of a blob whose size the manifest gives wrongly puts nothing', async () => {
    const rig = createRig();
    const layer = Buffer.from('eleven byte');
    const image = makeImage({ layers: [layer] });
    const text = Buffer.from(image.content.get(image.descriptor.digest) ?? []).toString();
    const manifest = Buffer.from(text.replace('"size":11', '"size":12'));
    const content = new Map(image.content).set(digestOf(manifest), manifest);
    const digest = digestOf(manifest);
    const descriptor = { ...image.descriptor, digest, sizeBytes: manifest.length };
    await expect(push(rig, { descriptor, content })).rejects.toMatchObject({
      code: 'E_IMAGE_INVALID',
    });
    expect(rig.registry.puts).toEqual([]);
  });
});
