/** One push of the image as it is now, with the progress of the command line. */

import type { CliContext } from '../../src/cli/context.ts';
import { chooseProgressKind, startProgress } from '../../src/cli/progress/progress-start.ts';
import type { ImageReceipt, LayerReceipt, Uploader } from '../../src/index.ts';
import { ociLayoutImage } from '../../src/index.ts';
import type { ImageLayout } from './image-layout.ts';

export interface Push {
  readonly receipt: ImageReceipt;
  /** Of the blobs that were sent, by digest. */
  readonly sent: ReadonlyMap<string, LayerReceipt>;
}

export async function pushImage(
  context: CliContext,
  uploader: Uploader,
  repository: string,
  layout: ImageLayout,
  signal: AbortSignal,
): Promise<Push> {
  const kind = chooseProgressKind(context, { quiet: false, progress: true });
  const progress = startProgress(context, kind, undefined, () => uploader.snapshot());
  const sent = new Map<string, LayerReceipt>();
  try {
    const receipt = await uploader.pushImage(
      { repository, image: ociLayoutImage(layout.path, { label: 'image' }), tags: ['latest'] },
      {
        signal,
        onEvent: (event) => {
          progress.record(event);
          if (event.type === 'layer-completed') sent.set(event.receipt.digest, event.receipt);
        },
      },
    );
    return { receipt, sent };
  } finally {
    progress.stop();
  }
}
