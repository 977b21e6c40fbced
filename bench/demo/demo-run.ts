/** The demo's acts, each of which prints what it did. */

import { ECRClient } from '@aws-sdk/client-ecr';
import type { CliContext } from '../../src/cli/context.ts';
import { formatBytes, formatDuration } from '../../src/cli/progress/quantity-format.ts';
import { chooseStyle } from '../../src/cli/progress/style.ts';
import { createUploader, type Uploader } from '../../src/index.ts';
import { type Push, pushImage } from './demo-push.ts';
import { type Check, formatChecks, formatPacked, formatPush } from './demo-report.ts';
import { type EmulatorSettings, startEmulatorProcess } from './emulator-process.ts';
import { ImageLayout } from './image-layout.ts';
import { findInputTrees, findLateTree } from './input-tree.ts';
import { packLayers } from './layer-pack.ts';
import { manifestOf, readLayerBack } from './read-back.ts';
import { createWorkspace } from './workspace.ts';

const REPOSITORY = 'demo/real-files';
/** Enough that what is measured is the transfer and not its beginning. */
const PACKED_BYTES_MIN = 200_000_000;
/** The threads run what was compiled, as they do for whoever installs longshore. */
const WORKER_URL = new URL('../../dist/workers/layer.worker.js', import.meta.url);

/** @returns whether every check held */
export async function runDemo(
  context: CliContext,
  emulatorFlags: readonly string[],
  signal: AbortSignal,
): Promise<boolean> {
  const style = chooseStyle(context, context.stdout);
  const say = (text: string): void => void context.stdout.write(`${text}\n`);
  const act = (text: string): void => say(`\n${style.colors.bold(text)}`);
  const startedMs = context.now();
  await using workspace = await createWorkspace();
  await using emulator = await startEmulatorProcess(workspace.directory, emulatorFlags);
  const { settings } = emulator;
  say(style.colors.bold('longshore: an image of real files into a local ECR, and back'));
  say(`ECR API at ${settings.endpoint}, in a process of its own`);

  act('1. Make an OCI image of what is installed here');
  const packing = stopwatch(context);
  const pack = async (trees: Parameters<typeof packLayers>[0], bytesMin: number): Promise<void> => {
    const { directory } = workspace;
    const onPacked = (layer: Parameters<typeof formatPacked>[0]): void =>
      say(formatPacked(layer, style));
    const layers = await packLayers(trees, bytesMin, directory, signal, onPacked);
    for (const layer of layers) await layout.add(layer);
  };
  const layout = new ImageLayout(`${workspace.directory}/image`);
  await pack(await findInputTrees(), PACKED_BYTES_MIN);
  const manifest = await layout.write();
  const packedBytes = layout.layers.reduce((sum, layer) => sum + layer.sizeBytes, 0);
  say(`  ${layout.layers.length} layers, ${formatBytes(packedBytes)}, packed in ${packing()}`);

  await using uploader = uploaderFor(settings);
  const push = (): Promise<Push> => pushImage(context, uploader, REPOSITORY, layout, signal);
  act(`2. Push it to ${REPOSITORY}:latest`);
  const first = await push();
  say(`\n${formatPush(first, layout.layers, style)}`);

  act("3. Read all of it back with AWS's own client, and with verifyImage()");
  const client = ecrClient(settings);
  const reading = stopwatch(context);
  const found = await manifestOf(client, REPOSITORY, 'latest');
  const differing: string[] = [];
  for (const { name, digest, path } of layout.layers) {
    const isEqual = await readLayerBack(client, REPOSITORY, digest, path, signal);
    if (!isEqual) differing.push(name);
  }
  client.destroy();
  say(`  ${formatBytes(packedBytes)} downloaded, hashed and compared in ${reading()}`);
  const verified = await uploader.verifyImage(
    { repository: REPOSITORY, reference: 'latest' },
    { signal },
  );
  say(`  verifyImage: ${verified.blobs.length} blobs in ${formatDuration(verified.durationMs)}`);

  act('4. Push the same again');
  const second = await push();
  say(`  ${summaryOf(second)}`);

  act('5. Add one layer and push');
  await pack([await findLateTree()], 0);
  await layout.write();
  const third = await push();
  say(`  ${summaryOf(third)}`);

  const checks: Check[] = [
    {
      claim: `first push: ${first.receipt.blobs.length} blobs uploaded, manifest put`,
      holds: first.receipt.blobs.every(({ outcome }) => outcome === 'uploaded'),
    },
    {
      claim: `manifest read back: the same bytes, ${first.receipt.digest.slice(0, 19)}…`,
      holds: found === manifest,
    },
    {
      claim: `layers read back: SHA-256 and every byte of ${formatBytes(packedBytes)} equal the files`,
      holds: differing.length === 0,
    },
    {
      claim: `second push: ${callText(second)}, nothing sent`,
      holds: second.receipt.sentBytes === 0 && second.receipt.callCount === 1,
    },
    {
      claim: `third push: 2 of ${third.receipt.blobs.length} blobs sent, the new layer and the config`,
      holds: third.receipt.blobs.filter(({ sentBytes }) => sentBytes > 0).length === 2,
    },
  ];
  say(`\n${formatChecks(checks, style)}`);
  say(`\nThe whole demo took ${formatDuration(context.now() - startedMs)}.`);
  return checks.every((check) => check.holds);
}

function summaryOf(push: Push): string {
  const { sentBytes, durationMs } = push.receipt;
  const took = formatDuration(durationMs);
  return `${formatBytes(sentBytes)} sent, ${callText(push)} in ${took}`;
}

function callText({ receipt: { callCount } }: Push): string {
  return `${callCount} ${callCount === 1 ? 'call' : 'calls'}`;
}

function uploaderFor(settings: EmulatorSettings): Uploader {
  const { region, endpoint, accessKeyId, secretAccessKey } = settings;
  return createUploader({
    region,
    endpoint,
    client: { credentials: { accessKeyId, secretAccessKey } },
    createRepository: true,
    workerUrl: WORKER_URL,
  });
}

function ecrClient(settings: EmulatorSettings): ECRClient {
  const { region, endpoint, accessKeyId, secretAccessKey } = settings;
  return new ECRClient({ region, endpoint, credentials: { accessKeyId, secretAccessKey } });
}

function stopwatch(context: Pick<CliContext, 'now'>): () => string {
  const startedMs = context.now();
  return () => formatDuration(context.now() - startedMs);
}
