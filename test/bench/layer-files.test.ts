import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { expect, test } from 'vitest';
import { LayerFiles } from '../../bench/harness/layer-files.ts';

test('files have the size and the digest that are told, and go with their folder', async () => {
  const sizeBytes = 5 * 2 ** 20 + 1;
  let folder = '';
  {
    await using files = new LayerFiles();
    for (const file of [await files.createRandom(sizeBytes), await files.createSparse(sizeBytes)]) {
      const bytes = readFileSync(file.path);
      expect(file.sizeBytes).toBe(sizeBytes);
      expect(bytes.length).toBe(sizeBytes);
      expect(file.digest).toBe(`sha256:${createHash('sha256').update(bytes).digest('hex')}`);
      folder = dirname(file.path);
    }
    expect(existsSync(folder)).toBe(true);
  }
  expect(existsSync(folder)).toBe(false);
});
