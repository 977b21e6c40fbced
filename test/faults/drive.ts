/** How a run comes to call an operation, and whether what it leaves behind is right. */

import { expect } from 'vitest';
import { LongshoreError } from '../../src/index.ts';
import type { ErrorCode, Uploader } from '../../src/index.ts';
import { makeImage, makeIndex, type MadeImage, memoryImage } from '../image/memory-image.ts';
import type { Ending, Operation, Random } from './fault.ts';
import type { FaultRig } from './fault-rig.ts';
import { picked, type PooledLayer, sourceOf } from './layer-pool.ts';

export interface RunContext {
  readonly rig: FaultRig;
  readonly operation: Operation;
  readonly seed: number;
  readonly random: Random;
  readonly uploader: Uploader;
  /** For what comes before the fault. */
  readonly preparer: Uploader;
  readonly canStartAgain: boolean;
  /** Nothing is put without a tag. */
  readonly onlyTags: boolean;
  readonly signal: AbortSignal;
  /** A layer's or an image's call is repeated. */
  readonly onEvent: (event: { readonly type: string; readonly operation?: string }) => void;
}

/** One call of the uploader's. */
export interface Attempted {
  readonly ending: Ending;
  readonly error: unknown;
}

export interface Drive {
  readonly repository: string;
  /** Calls of the operation that are made in any case. */
  readonly callsMin: number;
  perform(): Promise<readonly Attempted[]>;
  /** Looks at what the registry has. */
  judge(attempted: readonly Attempted[]): Promise<void>;
  /** Makes room. */
  end(): Promise<void>;
}

let lastRepository = 0;
let lastImage = 0;

export function driveOf(run: RunContext): Promise<Drive> {
  switch (run.operation) {
    case 'BatchCheckLayerAvailability':
      return run.random() < 0.5 ? layerDrive(run) : pushDrive(run);
    case 'InitiateLayerUpload':
    case 'UploadLayerPart':
    case 'CompleteLayerUpload':
    case 'CreateRepository':
      return layerDrive(run);
    case 'BatchGetImage':
    case 'PutImage':
      return pushDrive(run);
    case 'DescribeRepositories':
      return moveDrive(run);
    case 'GetDownloadUrlForLayer':
    case 'ListImageReferrers':
    case 'download of a blob':
      return verifyDrive(run);
  }
}

/** Layers side by side: one, or some small ones. */
async function layerDrive(run: RunContext): Promise<Drive> {
  const { rig, operation, random, uploader, canStartAgain, signal, onEvent } = run;
  const repository = nextRepository();
  const isCreating = operation === 'CreateRepository';
  if (!isCreating) await rig.makeRepository(repository);
  const isOne = operation === 'UploadLayerPart' || isCreating || random() < 0.4;
  const layers = isOne
    ? [operation === 'UploadLayerPart' ? rig.layers.any(random) : small(run)]
    : rig.layers.someSmall(picked([2, 3], random));
  const isKnown = operation === 'BatchCheckLayerAvailability';
  const sources = layers.map((layer) => sourceOf(layer, random, { isKnown, canStartAgain }));
  return {
    repository,
    callsMin: operation === 'UploadLayerPart' ? (layers[0]?.partCount ?? 1) : layers.length,
    perform: () =>
      Promise.all(
        sources.map((source) =>
          attempt(uploader.uploadLayer({ repository, source }, { signal, onEvent })),
        ),
      ),
    judge: async (attempted) => {
      for (const [index, { ending }] of attempted.entries()) {
        const layer = layers[index];
        if (ending === 'finishes' && layer !== undefined) await expectLayer(rig, repository, layer);
      }
    },
    end: () => rig.dropRepository(repository),
  };
}

async function pushDrive(run: RunContext): Promise<Drive> {
  const { rig, operation, random, uploader, signal, onEvent } = run;
  const repository = nextRepository();
  await rig.makeRepository(repository);
  const layers = rig.layers.someSmall(picked([1, 2], random));
  const image = nextImage(layers, !run.onlyTags && random() < 0.3);
  const tags = operation === 'PutImage' && random() < 0.5 ? ['v1', 'v2'] : ['v1'];
  return {
    repository,
    callsMin: operation === 'PutImage' ? tags.length : 1,
    perform: async () => [
      await attempt(
        uploader.pushImage({ repository, image: memoryImage(image), tags }, { signal, onEvent }),
      ),
    ],
    judge: async ([attempted]) => {
      for (const tag of tags) {
        const manifest = await rig.manifestOf(repository, tag);
        // A tag is only ever put on a whole image.
        if (manifest === undefined && attempted?.ending !== 'finishes') continue;
        expect(manifest).toBe(manifestText(image));
        for (const layer of layers) await expectLayer(rig, repository, layer);
      }
    },
    end: () => rig.dropRepository(repository),
  };
}

/** A tag that points to another image. */
async function moveDrive(run: RunContext): Promise<Drive> {
  const { rig, seed, uploader, preparer, signal, onEvent } = run;
  const repository = `move/${seed}`;
  const layers = rig.layers.someSmall(1);
  const tags = ['v1'];
  await rig.makeRepository(repository).catch(() => undefined);
  const before = await rig.manifestOf(repository, 'v1');
  if (before === undefined) {
    await preparer.pushImage({ repository, image: memoryImage(nextImage(layers)), tags });
  }
  const image = nextImage(layers);
  return {
    repository,
    callsMin: 1,
    perform: async () => [
      await attempt(
        uploader.pushImage({ repository, image: memoryImage(image), tags }, { signal, onEvent }),
      ),
    ],
    judge: async ([attempted]) => {
      const isMoved = (await rig.manifestOf(repository, 'v1')) === manifestText(image);
      expect(isMoved).toBe(attempted?.ending === 'finishes');
    },
    end: () => Promise.resolve(),
  };
}

/** Images that are pushed once and verified many times. */
async function verifyDrive(run: RunContext): Promise<Drive> {
  const { rig, operation, seed, uploader, preparer, signal } = run;
  const repository = `verify/${seed}`;
  const layers = rig.layers.someSmall(2);
  const image = makeImage({ layers: layers.map(({ bytes }) => bytes) });
  const signatures = [1, 2, 3].map((number) =>
    makeImage({
      layers: [Buffer.from(`signature ${number}`)],
      subject: image.descriptor,
      artifactType: 'application/vnd.example.signature',
    }),
  );
  const isThere = await rig.makeRepository(repository).then(
    () => false,
    () => true,
  );
  if (!isThere) {
    const signed = memoryImage(image, signatures);
    await preparer.pushImage({ repository, image: signed, tags: ['v1'], referrers: true });
  }
  const referrers = operation === 'ListImageReferrers';
  let verifiedBytes: number | undefined;
  return {
    repository,
    callsMin: referrers ? 1 : 3,
    perform: async () => [
      await attempt(
        uploader
          .verifyImage({ repository, reference: 'v1', referrers }, { signal })
          .then((verification) => (verifiedBytes = verification.verifiedBytes)),
      ),
    ],
    judge: async ([attempted]) => {
      const blobs = new Map(
        [image, ...(referrers ? signatures : [])].flatMap(({ content, descriptor }) =>
          [...content].filter(([digest]) => digest !== descriptor.digest),
        ),
      );
      const sizeBytes = [...blobs.values()].reduce((sum, bytes) => sum + bytes.length, 0);
      if (attempted?.ending === 'finishes') expect(verifiedBytes).toBe(sizeBytes);
      expect(await rig.manifestOf(repository, 'v1')).toBe(manifestText(image));
    },
    end: () => Promise.resolve(),
  };
}

/** @throws what is not a failure of longshore's own: a defect, or a run that does not end */
export async function attempt(work: Promise<unknown>): Promise<Attempted> {
  try {
    await work;
    return { ending: 'finishes', error: undefined };
  } catch (error) {
    if (!LongshoreError.is(error)) throw error;
    return { ending: error.code satisfies ErrorCode, error };
  }
}

export async function expectLayer(
  rig: FaultRig,
  repository: string,
  { bytes, digest }: PooledLayer,
): Promise<void> {
  const stored = await rig.emulator.readLayer(repository, digest);
  expect(Buffer.compare(stored, bytes)).toBe(0);
}

function small({ rig, random }: RunContext): PooledLayer {
  return picked(rig.layers.someSmall(4), random);
}

function nextRepository(): string {
  lastRepository += 1;
  return `fault/${lastRepository}`;
}

function nextImage(layers: readonly PooledLayer[], isIndex = false): MadeImage {
  lastImage += 1;
  const config = Buffer.from(JSON.stringify({ os: 'linux', architecture: 'amd64', lastImage }));
  const platform = { os: 'linux', architecture: 'amd64' };
  const image = makeImage({ layers: layers.map(({ bytes }) => bytes), config, platform });
  return isIndex ? makeIndex([image]) : image;
}

function manifestText({ content, descriptor }: MadeImage): string {
  return new TextDecoder().decode(content.get(descriptor.digest));
}
