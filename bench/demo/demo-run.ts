/** The demo's acts, each of which prints what it did. */

import { ECRClient } from '@aws-sdk/client-ecr';
import type { CliContext } from '../../src/cli/context.ts';
import { formatBytes, formatDuration } from '../../src/cli/progress/quantity-format.ts';
import { chooseStyle } from '../../src/cli/progress/style.ts';
import { checksOf, isVerified } from './demo-check.ts';
import { type Push, pushLayers } from './demo-push.ts';
import { formatChecks, formatPacked, formatReceipts } from './demo-report.ts';
import { type EmulatorSettings, startEmulatorProcess } from './emulator-process.ts';
import { findInputTrees } from './input-tree.ts';
import { type PackedLayer, packLayers } from './layer-pack.ts';
import { imageManifest } from './oci-image.ts';
import { availableDigests, putImage, type ReadBack, readLayerBack } from './read-back.ts';
import { createWorkspace } from './workspace.ts';

const REPOSITORY = 'demo/real-files';
/** Enough that what is measured is the transfer and not its beginning. */
const PACKED_BYTES_MIN = 200_000_000;

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
  say(style.colors.bold('longshore: real files into a local ECR, and back'));
  say(`ECR API at ${settings.endpoint}, in a process of its own`);

  act('1. Pack what is installed here into layers');
  const packing = stopwatch(context);
  const trees = await findInputTrees();
  const layers = await packLayers(trees, PACKED_BYTES_MIN, workspace.directory, signal, (layer) =>
    say(formatPacked(layer, style)),
  );
  const packedBytes = layers.reduce((sum, layer) => sum + layer.sizeBytes, 0);
  say(`  ${layers.length} layers, ${formatBytes(packedBytes)}, packed in ${packing()}`);

  act(`2. Push them to ${REPOSITORY}`);
  const first = await pushLayers(context, settings, REPOSITORY, layers, signal);
  say(`  ${describePush(first)}`);

  act("3. Put an image over them, and read all of it back with AWS's own client");
  const client = ecrClient(settings);
  const digests = first.receipts.map((receipt) => receipt.digest);
  const available = await availableDigests(client, REPOSITORY, digests);
  const manifest = imageManifest(first.configuration, first.receipts);
  const image = await putImage(client, REPOSITORY, 'latest', manifest);
  const reading = stopwatch(context);
  const readBacks = await readBack(client, layers, digests, signal);
  client.destroy();
  const readBytes = readBacks.reduce((sum, found) => sum + found.sizeBytes, 0);
  say(`  ${formatBytes(readBytes)} downloaded, hashed and compared in ${reading()}`);

  act('4. Push the same again');
  const second = await pushLayers(context, settings, REPOSITORY, layers, signal);
  say(`  ${describePush(second)}`);

  const findings = { layers, first, second, available, image, readBacks };
  const verified = layers.map((_layer, index) => isVerified(findings, index));
  const checks = checksOf(findings);
  say(`\n${formatReceipts(first, verified, style)}\n\n${formatChecks(checks, style)}`);
  say(`\nThe whole demo took ${formatDuration(context.now() - startedMs)}.`);
  return checks.every((check) => check.holds);
}

async function readBack(
  client: ECRClient,
  layers: readonly PackedLayer[],
  digests: readonly string[],
  signal: AbortSignal,
): Promise<ReadBack[]> {
  const found: ReadBack[] = [];
  for (const [index, { path }] of layers.entries()) {
    const digest = digests[index] ?? '';
    found.push(await readLayerBack(client, REPOSITORY, digest, path, signal));
  }
  return found;
}

function describePush(push: Push): string {
  const { receipts } = push;
  const partCount = receipts.reduce((sum, receipt) => sum + receipt.partCount, 0);
  const sentBytes = receipts.reduce((sum, receipt) => sum + receipt.sentBytes, 0);
  const presentCount = receipts.filter(({ outcome }) => outcome === 'already-present').length;
  const present = presentCount > 0 ? `, ${presentCount} layers were there` : '';
  const took = formatDuration(push.durationMs);
  return `${partCount} parts, ${formatBytes(sentBytes)} sent in ${took}${present}`;
}

function ecrClient(settings: EmulatorSettings): ECRClient {
  const { region, endpoint, accessKeyId, secretAccessKey } = settings;
  return new ECRClient({ region, endpoint, credentials: { accessKeyId, secretAccessKey } });
}

function stopwatch(context: Pick<CliContext, 'now'>): () => string {
  const startedMs = context.now();
  return () => formatDuration(context.now() - startedMs);
}
