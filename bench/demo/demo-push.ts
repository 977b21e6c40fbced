/** One push of all layers and of the image's configuration, with the progress of the command line. */

import type { CliContext } from '../../src/cli/context.ts';
import { chooseProgressKind, startProgress } from '../../src/cli/progress/progress-start.ts';
import { bytesSource, createUploader, fileSource, type LayerReceipt } from '../../src/index.ts';
import type { EmulatorSettings } from './emulator-process.ts';
import type { PackedLayer } from './layer-pack.ts';
import { imageConfiguration } from './oci-image.ts';

/** The threads run what was compiled, as they do for whoever installs longshore. */
const WORKER_URL = new URL('../../dist/workers/layer.worker.js', import.meta.url);

export interface Push {
  /** In the order of the layers. */
  readonly receipts: readonly LayerReceipt[];
  readonly configuration: LayerReceipt;
  /** Of the layers alone. */
  readonly durationMs: number;
}

export async function pushLayers(
  context: CliContext,
  settings: EmulatorSettings,
  repository: string,
  layers: readonly PackedLayer[],
  signal: AbortSignal,
): Promise<Push> {
  const { region, endpoint, accessKeyId, secretAccessKey } = settings;
  await using uploader = createUploader({
    region,
    endpoint,
    client: { credentials: { accessKeyId, secretAccessKey } },
    createRepository: true,
    workerUrl: WORKER_URL,
  });
  // First, so that what follows measures the transfer, not the start of threads and connections.
  const source = bytesSource(imageConfiguration(layers), { label: 'image configuration' });
  const configuration = await uploader.uploadLayer({ repository, source }, { signal });
  const expected = layers.map(({ fileName, sizeBytes }) => ({ label: fileName, sizeBytes }));
  const kind = chooseProgressKind(context, { quiet: false, progress: true });
  const startedMs = context.now();
  const progress = startProgress(context, kind, expected, () => uploader.snapshot());
  try {
    const receipts = await Promise.all(
      layers.map(({ path, fileName }) =>
        uploader.uploadLayer(
          { repository, source: fileSource(path, { label: fileName }) },
          { signal, onEvent: (event) => progress.record(event) },
        ),
      ),
    );
    const durationMs = context.now() - startedMs;
    return { receipts, configuration, durationMs };
  } finally {
    progress.stop();
  }
}
