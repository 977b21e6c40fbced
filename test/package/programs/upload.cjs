// A CommonJS program reaches an ESM package by import().
async function main() {
  const { bytesSource, createUploader } = await import('longshore');
  const { LAYER_SIZE_BYTES, UPLOADER_OPTIONS } = process.env;
  const bytes = new Uint8Array(Number(LAYER_SIZE_BYTES));

  const uploader = createUploader({ createRepository: true, ...JSON.parse(UPLOADER_OPTIONS) });
  try {
    const receipts = await Promise.all(
      [1, 2].map((fill) => {
        const source = bytesSource(Uint8Array.from(bytes).fill(fill));
        return uploader.uploadLayer({ repository: 'embedding/app', source });
      }),
    );
    console.log(JSON.stringify({ receipts }));
  } finally {
    await uploader.close();
  }
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
