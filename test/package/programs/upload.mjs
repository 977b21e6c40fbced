// A program that has longshore as a dependency: uploads one layer from memory and one from a file,
// says on standard output how that went, and ends because nothing keeps it alive.
// No top-level await, so that it can be bundled to CommonJS as well.
import { writeFileSync } from 'node:fs';
import { bytesSource, createUploader, fileSource, LongshoreError } from 'longshore';

async function main() {
  const { LAYER_SIZE_BYTES, UPLOADER_OPTIONS } = process.env;
  const sizeBytes = Number(LAYER_SIZE_BYTES);
  writeFileSync('layer.bin', new Uint8Array(sizeBytes).fill(2));

  const uploader = createUploader({ createRepository: true, ...JSON.parse(UPLOADER_OPTIONS) });
  try {
    const receipts = await Promise.all(
      [bytesSource(new Uint8Array(sizeBytes).fill(1)), fileSource('layer.bin')].map((source) =>
        uploader.uploadLayer({ repository: 'embedding/app', source }),
      ),
    );
    console.log(JSON.stringify({ receipts }));
  } catch (error) {
    if (!LongshoreError.is(error)) throw error;
    const { code, message, origin } = error;
    console.log(JSON.stringify({ failure: { code, message, origin } }));
  } finally {
    await uploader.close();
  }
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
