// Never run: compiled against the packed declarations by a project with settings of its own.
import type { Digest, LayerEvent, LayerReceipt, UploaderOptions } from 'longshore';
import { bytesSource, createUploader, fileSource, LongshoreError, streamSource } from 'longshore';
import type { EmulatorOptions } from 'longshore/emulator';
import { startEmulator } from 'longshore/emulator';
import type { SyncConfig, SyncReport } from 'longshore/sync';
import { planSync, runSync } from 'longshore/sync';

const options: UploaderOptions = { region: 'eu-central-1', hasher: 'auto', partsInFlight: 4 };

export async function upload(path: string, emulated: EmulatorOptions): Promise<Digest> {
  await using emulator = await startEmulator(emulated);
  await using uploader = createUploader({ ...options, endpoint: emulator.endpoint });
  const onEvent = (event: LayerEvent): void => {
    if (event.type === 'part-acknowledged') console.log(event.partIndex + event.endByte);
  };
  const { signal } = new AbortController();
  const receipt: LayerReceipt = await uploader.uploadLayer(
    { repository: 'team/app', source: fileSource(path) },
    { signal, onEvent },
  );
  return receipt.digest;
}

export function explain(error: unknown): string {
  if (LongshoreError.is(error, 'E_LAYER_TOO_LARGE')) {
    const limitBytes: number = error.details.limitBytes;
    return `${error.message} ${limitBytes}`;
  }
  return LongshoreError.is(error) ? error.code : String(error);
}

export async function mirror(config: SyncConfig): Promise<SyncReport | undefined> {
  const plan = await planSync(config);
  for await (const event of runSync(plan, { imagesInFlight: 8 })) {
    if (event.type === 'sync-completed') return event.report;
  }
  return undefined;
}

export const sources = [bytesSource(new Uint8Array(1)), streamSource(process.stdin)];

// @ts-expect-error undefined is not a setting (exactOptionalPropertyTypes)
export const wrong: UploaderOptions = { region: undefined };
// @ts-expect-error there is no such hasher
export const alsoWrong: UploaderOptions = { hasher: 'md5' };
